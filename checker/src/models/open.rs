//! The operations that are open at one moment of a search.

use crate::linearizable::mask::Mask;

/// The open operations at one moment, each with its slot.
pub(super) struct Open<K> {
    pub reads: Vec<(usize, usize)>,
    /// By deadline, the earliest first.
    pub writes: Vec<(usize, usize)>,
    /// How many crashed operations of each class there are.
    pub crashed: Vec<u32>,
    free: K,
}

impl<K: Mask> Open<K> {
    pub fn new() -> Open<K> {
        Open { reads: Vec::new(), writes: Vec::new(), crashed: Vec::new(), free: K::FULL }
    }

    /// Gives the operation a slot; false if none is free.
    pub fn insert(&mut self, op: usize, is_read: bool, deadline: impl Fn(usize) -> u64) -> bool {
        if self.free.is_empty() {
            return false;
        }
        let slot = self.free.first();
        self.free.remove(slot);
        if is_read {
            self.reads.push((op, slot));
        } else {
            let at = self.writes.partition_point(|(other, _)| deadline(*other) <= deadline(op));
            self.writes.insert(at, (op, slot));
        }
        true
    }

    /// The slot of an open operation.
    pub fn slot(&self, op: usize) -> Option<usize> {
        let mut all = self.reads.iter().chain(&self.writes);
        all.find(|(other, _)| *other == op).map(|(_, slot)| *slot)
    }

    pub fn remove(&mut self, op: usize) {
        if let Some(slot) = self.slot(op) {
            self.free.insert(slot);
        }
        self.reads.retain(|(other, _)| *other != op);
        self.writes.retain(|(other, _)| *other != op);
    }
}
