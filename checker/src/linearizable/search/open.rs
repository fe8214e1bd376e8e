//! The operations that are open at one point of the history, each in a slot of the masks.

use super::super::{Call, ValueId};
use super::EventId;
use super::mask::Mask;

/// No slot was left.
pub(super) struct Full;

/// An open operation with a known completion.
#[derive(Clone, Copy)]
pub(super) struct Slot<M> {
    pub(super) call: Call,
    pub(super) completion: EventId,
    /// Open operations with the same call that complete earlier. Using them first is never
    /// worse, because exchanging two equal calls changes no answer.
    pub(super) ahead: M,
}

/// Open operations by one value.
#[derive(Clone, Copy)]
pub(super) struct Place<M> {
    /// Reads that returned it.
    pub(super) readers: M,
    /// Writes of it.
    pub(super) writers: M,
    /// Compare-and-sets that replace it by another.
    pub(super) swaps: M,
}

impl<M: Mask> Place<M> {
    const EMPTY: Place<M> = Place { readers: M::EMPTY, writers: M::EMPTY, swaps: M::EMPTY };

    /// What owes nothing more once the register holds the value: its readers, and writes of it,
    /// which change nothing at that moment.
    pub(super) fn met(&self) -> M {
        self.readers.or(self.writers)
    }
}

/// The slots that nothing stands in.
#[derive(Clone)]
pub(super) struct Free<M>(M);

impl<M: Mask> Free<M> {
    pub(super) fn all() -> Self {
        Free(M::FULL)
    }

    pub(super) fn take(&mut self) -> Result<usize, Full> {
        if self.0.is_empty() {
            return Err(Full);
        }
        let slot = self.0.first();
        self.0.remove(slot);
        Ok(slot)
    }

    /// Gives a slot back, whose bit must be clear in all configurations.
    pub(super) fn release(&mut self, slot: usize) {
        self.0.insert(slot);
    }
}

/// All open operations.
pub(super) struct Open<M> {
    pub(super) free: Free<M>,
    pub(super) writes: M,
    /// Those that put a value in, blindly or not.
    pub(super) installers: M,
    slots: Vec<Option<Slot<M>>>,
    /// For each value where it is in `places`; 0, which stays empty, if nothing is open on it.
    place_of: Vec<u32>,
    places: Vec<Place<M>>,
    idle: Vec<u32>,
}

impl<M: Mask> Open<M> {
    pub(super) fn new(values: usize) -> Self {
        Open {
            free: Free::all(),
            writes: M::EMPTY,
            installers: M::EMPTY,
            slots: Vec::new(),
            place_of: vec![0; values],
            places: vec![Place::EMPTY],
            idle: Vec::new(),
        }
    }

    pub(super) fn slot(&self, slot: usize) -> &Slot<M> {
        self.slots[slot].as_ref().expect("the slot of an open operation")
    }

    pub(super) fn on(&self, value: ValueId) -> &Place<M> {
        &self.places[self.place_of[value.index()] as usize]
    }

    /// Adds an operation.
    pub(super) fn invoke(&mut self, call: Call, completion: EventId) -> Result<usize, Full> {
        let slot = self.free.take()?;
        let place = self.place_mut(call);
        let set = match (call, call.installs()) {
            (Call::Write(_), _) => &mut place.writers,
            (_, Some(_)) => &mut place.swaps,
            (_, None) => &mut place.readers,
        };
        let others = *set;
        set.insert(slot);
        let mut ahead = M::EMPTY;
        for other in others.iter() {
            let other_slot = self.slots[other].as_mut().expect("an open operation");
            if other_slot.call != call {
                continue;
            }
            if other_slot.completion <= completion {
                ahead.insert(other);
            } else {
                other_slot.ahead.insert(slot);
            }
        }
        if matches!(call, Call::Write(_)) {
            self.writes.insert(slot);
        }
        if call.installs().is_some() {
            self.installers.insert(slot);
        }
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        self.slots[slot] = Some(Slot { call, completion, ahead });
        Ok(slot)
    }

    /// Removes an operation, whose bits must be clear in all configurations.
    pub(super) fn complete(&mut self, slot: usize) {
        let call = self.slot(slot).call;
        self.slots[slot] = None;
        self.writes.remove(slot);
        self.installers.remove(slot);
        self.free.release(slot);
        let value = place_value(call);
        let at = self.place_of[value.index()] as usize;
        let place = &mut self.places[at];
        place.readers.remove(slot);
        place.writers.remove(slot);
        place.swaps.remove(slot);
        let rivals = place.writers.or(place.swaps);
        if rivals.or(place.readers).is_empty() {
            self.place_of[value.index()] = 0;
            self.idle.push(at as u32);
        }
        for rival in rivals.iter() {
            let rival = self.slots[rival].as_mut().expect("an open operation");
            rival.ahead.remove(slot);
        }
    }

    fn place_mut(&mut self, call: Call) -> &mut Place<M> {
        let at = &mut self.place_of[place_value(call).index()];
        if *at == 0 {
            *at = self.idle.pop().unwrap_or_else(|| {
                self.places.push(Place::EMPTY);
                self.places.len() as u32 - 1
            });
        }
        &mut self.places[*at as usize]
    }
}

/// The value under which an operation is found.
fn place_value(call: Call) -> ValueId {
    match call {
        Call::Read(value) | Call::Write(value) | Call::Cas(value, _) => value,
    }
}
