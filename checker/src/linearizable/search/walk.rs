//! One walk over the events, from completion to completion.

use std::collections::BinaryHeap;

use super::super::{Call, Limit, ValueId};
use super::antichain::{Antichain, Configuration};
use super::crashed::Crashed;
use super::mask::Mask;
use super::open::{Full, Open};
use super::steps::Task;
use super::{Event, EventId, Horizon, Kind, NEVER, Problem, Stop, Walk};

/// The operation that completes.
#[derive(Clone, Copy)]
pub(super) struct Completing {
    pub(super) slot: usize,
    pub(super) call: Call,
    /// The value that the register holds when it takes effect.
    pub(super) leaves: ValueId,
    /// The last invocation after this completion of an operation that can find that value, 0 if
    /// there is none; or of one that can find what compare-and-sets make of it.
    pub(super) held_until: EventId,
    pub(super) horizon: Horizon,
}

/// A walk with configurations that have used at most `slack` more crashed operations than needed.
pub(super) struct Search<'p, 'a, M> {
    pub(super) problem: &'p mut Problem<'a>,
    pub(super) slack: u32,
    /// The value that stands for all that nobody can find any more.
    pub(super) unobservable: ValueId,
    pub(super) open: Open<M>,
    pub(super) slot_of: Vec<u32>,
    /// For each value the next invocation of an operation that finds it.
    pub(super) next_reader: Vec<EventId>,
    pub(super) crashed: Vec<Crashed>,
    /// All bits of the counts in `crashed`.
    pub(super) counts: M,
    /// What was invoked since `front` was made.
    pub(super) fresh: M,
    pub(super) front: Vec<Configuration<M>>,
    pub(super) next: Antichain<M>,
    pub(super) seen: Antichain<M>,
    pub(super) seen_swap_only: Antichain<M>,
    pub(super) tasks: BinaryHeap<Task<M>>,
    /// The least number of crashed operations that a member of `next` has used.
    pub(super) fewest: u32,
    pub(super) incomplete: bool,
}

impl<'p, 'a, M: Mask> Search<'p, 'a, M> {
    pub(super) fn new(problem: &'p mut Problem<'a>, slack: u32) -> Self {
        let values = problem.survey.values() + 1;
        let state = problem.initial;
        let mut next_reader = problem.first_reader.clone();
        next_reader.push(NEVER);
        Search {
            slack,
            unobservable: ValueId(values as u32 - 1),
            open: Open::new(values),
            slot_of: vec![0; problem.ops.len()],
            next_reader,
            crashed: Vec::new(),
            counts: M::EMPTY,
            fresh: M::EMPTY,
            front: vec![Configuration { state, owed: M::EMPTY, used: M::EMPTY }],
            next: Antichain::new(values),
            seen: Antichain::new(values),
            seen_swap_only: Antichain::new(values),
            tasks: BinaryHeap::new(),
            fewest: u32::MAX,
            incomplete: false,
            problem,
        }
    }

    pub(super) fn walk(mut self) -> Result<Walk, Stop> {
        self.problem.passed = 0;
        for at in 0..self.problem.events.len() {
            let Event { position, op, kind } = self.problem.events[at];
            match kind {
                Kind::Invocation { completion, next_reader } => {
                    self.invoke(op as usize, completion, next_reader)?;
                }
                Kind::Completion(horizon) => {
                    self.retire(position);
                    self.complete(self.slot_of[op as usize] as usize, horizon)?;
                    if self.front.is_empty() {
                        let unexplained = Some(op as usize);
                        return Ok(Walk { unexplained, incomplete: self.incomplete });
                    }
                    self.problem.passed += 1;
                }
            }
        }
        Ok(Walk { unexplained: None, incomplete: self.incomplete })
    }

    fn invoke(&mut self, op: usize, completion: EventId, next: EventId) -> Result<(), Stop> {
        let call = self.problem.ops[op].call;
        if let Some(value) = call.expects() {
            self.next_reader[value.index()] = next;
        }
        if completion != NEVER {
            let slot = self.open.invoke(call, completion)?;
            self.slot_of[op] = slot as u32;
            self.fresh = self.fresh.or(M::bit(slot));
        } else if let Some(installs) = call.installs() {
            let known = self.crashed.iter().position(|crashed| crashed.call == call);
            let at = known.unwrap_or_else(|| {
                self.crashed.push(Crashed::new(call, installs));
                self.crashed.len() - 1
            });
            self.crashed[at].invoke();
        }
        Ok(())
    }

    /// Forgets crashed operations whose value nobody can find at `position` or later.
    fn retire(&mut self, position: u64) {
        if self.crashed.is_empty() {
            return;
        }
        let (survey, free) = (self.problem.survey, &mut self.open.free);
        let mut cleared = M::EMPTY;
        self.crashed.retain(|crashed| {
            let observable = survey.observable(position, crashed.installs);
            if !observable {
                cleared = cleared.or(crashed.retire(free));
            }
            observable
        });
        for c in &mut self.front {
            c.used = c.used.without(cleared);
        }
    }

    /// Makes the front after the completion of the operation in `slot`.
    fn complete(&mut self, slot: usize, horizon: Horizon) -> Result<(), Stop> {
        let call = self.open.slot(slot).call;
        let leaves = call.installs().or(call.expects()).expect("a call has a value");
        let held_until = self.held_until(leaves, horizon);
        let completing = Completing { slot, call, leaves, held_until, horizon };
        self.next.clear();
        self.seen.clear();
        self.seen_swap_only.clear();
        self.tasks.clear();
        self.counts = self.crashed.iter().fold(M::EMPTY, |all, crashed| all.or(crashed.bits()));
        self.fewest = u32::MAX;
        self.begin(completing);
        self.extend(completing)?;
        self.keep_survivors();
        self.finish(slot);
        let size = self.front.len();
        self.problem.effort.peak_front = self.problem.effort.peak_front.max(size);
        Ok(())
    }

    /// The last invocation before `horizon` of an operation that finds `value`, if it is there from
    /// now on; see [`Completing::held_until`].
    fn held_until(&self, value: ValueId, horizon: Horizon) -> EventId {
        if self.can_be_swapped(value, M::EMPTY) {
            return horizon.blind;
        }
        let mut last = 0;
        let mut next = self.next_reader[value.index()];
        while next < horizon.any {
            let Event { op, kind, .. } = self.problem.events[next as usize];
            if self.problem.ops[op as usize].call.installs().is_some() {
                return horizon.blind;
            }
            last = next;
            next = match kind {
                Kind::Invocation { next_reader, .. } => next_reader,
                Kind::Completion(_) => NEVER,
            };
        }
        last
    }

    /// What owes nothing more as soon as the register holds `state`. If nobody can find `state`,
    /// writes can take effect at once without loss: what they leave is found by nobody either.
    pub(super) fn met(&self, state: ValueId) -> M {
        if state == self.unobservable { self.open.writes } else { self.open.on(state).met() }
    }

    /// Sorts the front into what survives the completion as it is and what must be extended.
    fn begin(&mut self, completing: Completing) {
        let mut front = std::mem::take(&mut self.front);
        for mut c in front.drain(..) {
            c.owed = c.owed.or(self.fresh).without(self.met(c.state));
            let survives = !c.owed.has(completing.slot);
            if survives {
                self.survive(completing, c);
            }
            let usable = matches!(completing.call, Call::Write(_))
                && !c.used.has(completing.slot)
                && (completing.held_until > 0 || self.meets_a_read(c, completing.leaves));
            if !survives || usable {
                self.add_task(c, false);
            }
        }
        self.front = front;
        self.fresh = M::EMPTY;
    }

    /// Whether anyone can find the value that the register holds, after the completion.
    fn is_alive(&self, completing: Completing, c: Configuration<M>) -> bool {
        let next_reader = self.next_reader[c.state.index()];
        let owed = || c.owed.and(self.open.installers).iter();
        next_reader < completing.horizon.any
            && owed().all(|slot| next_reader < self.open.slot(slot).completion)
            || self.can_be_swapped(c.state, c.used)
    }

    pub(super) fn survive(&mut self, completing: Completing, mut c: Configuration<M>) {
        let slot = completing.slot;
        if c.state != self.unobservable && !self.is_alive(completing, c) {
            c.state = self.unobservable;
            c.owed = c.owed.without(self.open.writes);
        }
        c.owed = c.owed.without(M::bit(slot));
        c.used = c.used.without(M::bit(slot));
        self.fewest = self.fewest.min(c.used.and(self.counts).len());
        self.next.insert(c, &mut self.problem.effort.comparisons);
    }

    /// Makes the front of the survivors, except for those that used too many crashed operations
    /// and those in which nobody can find the value if another one has it no worse.
    fn keep_survivors(&mut self) {
        let most = self.fewest.saturating_add(self.slack);
        let (counts, writes, unobservable) = (self.counts, self.open.writes, self.unobservable);
        for c in self.next.iter() {
            if c.used.and(counts).len() > most {
                self.incomplete = true;
            } else if c.state != unobservable
                || !self.next.iter().any(|other| {
                    other.state != unobservable
                        && other.owed.without(writes).is_within(c.owed)
                        && other.used.is_within(c.used)
                })
            {
                self.front.push(c);
            }
        }
    }

    /// Frees the slot of the completed operation and the bits of counts that differ no more.
    fn finish(&mut self, slot: usize) {
        self.open.complete(slot);
        if self.crashed.is_empty() {
            return;
        }
        let in_all = self.front.iter().fold(M::FULL, |all, c| all.and(c.used));
        let in_any = self.front.iter().fold(M::EMPTY, |any, c| any.or(c.used));
        let mut cleared = M::EMPTY;
        for crashed in &mut self.crashed {
            cleared = cleared.or(crashed.tidy(in_all, in_any, &mut self.open.free));
        }
        for c in &mut self.front {
            c.used = c.used.without(cleared);
        }
    }

    pub(super) fn check_budget(&self) -> Result<(), Stop> {
        let budget = self.problem.budget;
        if self.problem.effort.comparisons > budget.comparisons {
            return Err(Stop::Limit(Limit::Comparisons));
        }
        let held = self.next.len() + 2 * (self.seen.len() + self.seen_swap_only.len());
        if held * size_of::<Configuration<M>>() > budget.memory_bytes {
            return Err(Stop::Limit(Limit::Memory));
        }
        Ok(())
    }
}

impl From<Full> for Stop {
    fn from(_: Full) -> Stop {
        Stop::Narrow
    }
}
