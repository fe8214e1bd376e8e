//! One walk over the events, and what may happen before each completion.
//!
//! Nothing takes effect before it must. At the completion of an operation `i` the configurations
//! in which `i` still owes its effect are extended by steps that end with it; everything else can
//! wait for a later completion, because only `i` goes away. These rules keep the steps few, and no
//! rule loses an explanation:
//!
//! - *Met at once.* A read (or a compare-and-set of a value by itself) takes effect as soon as the
//!   register holds its value, and so does a write of that value: there it changes nothing.
//! - *Hiding.* When a write takes effect, every other open write can have taken effect immediately
//!   before it, where nobody saw it. They owe nothing more, but can still be used visibly.
//! - *Useful steps.* A write other than `i` takes effect only if its value meets an open read or
//!   if a compare-and-set follows immediately that starts from its value. (This includes a write
//!   of the value that is there already, if it hides others.) A write `i` that nobody hid yet is
//!   used itself: had another write hidden it, that one could as well follow later.
//! - *Last chance.* A write `i` that was hidden may still be used visibly, now or never.
//! - *Equals.* Of operations with the same call the earliest deadline goes first, a crashed one
//!   last.
//! - *Spared writes.* Where a compare-and-set would do the same, no crashed write is used, unless
//!   it hides others: a write can do later what the compare-and-set could do.
//! - *Dominance.* With the same state, owing less and having used less is never worse.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::super::{Call, Limit, ValueId};
use super::antichain::{Antichain, Configuration};
use super::crashed::Crashed;
use super::mask::Mask;
use super::open::{Full, Open};
use super::{Event, EventId, Horizon, Kind, NEVER, Problem, Stop, Walk};

/// A configuration to extend, perhaps by a compare-and-set only.
///
/// The order puts first (that is, highest) those that used the fewest crashed operations and then
/// those that used the fewest of all. Each step uses one more, so what makes a configuration
/// redundant is always seen before that one's turn comes.
struct Task<M> {
    crashed: u32,
    used: u32,
    from: Configuration<M>,
    swap_only: bool,
}

impl<M> Ord for Task<M> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.crashed, other.used).cmp(&(self.crashed, self.used))
    }
}

impl<M> PartialOrd for Task<M> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<M> PartialEq for Task<M> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<M> Eq for Task<M> {}

/// What a step is good for.
#[derive(Clone, Copy, PartialEq)]
enum Worth {
    Nothing,
    /// Only for a compare-and-set that follows immediately.
    ForASwap,
    Itself,
}

/// An operation that takes effect.
#[derive(Clone, Copy)]
struct Step<M> {
    /// The value that comes into the register.
    to: ValueId,
    /// Whether it does so whatever was there before.
    blind: bool,
    /// The bit of the operation.
    own: M,
}

/// The operation that completes.
#[derive(Clone, Copy)]
struct Completing {
    slot: usize,
    call: Call,
    /// The value that the register holds when it takes effect.
    leaves: ValueId,
    /// The last invocation after this completion of an operation that can find that value, 0 if
    /// there is none; or of one that can find what compare-and-sets make of it.
    held_until: EventId,
    horizon: Horizon,
}

/// A walk with configurations that have used at most `slack` more crashed operations than needed.
pub(super) struct Search<'p, 'a, M> {
    problem: &'p mut Problem<'a>,
    slack: u32,
    /// The value that stands for all that nobody can find any more.
    unobservable: ValueId,
    open: Open<M>,
    slot_of: Vec<u32>,
    /// For each value the next invocation of an operation that finds it.
    next_reader: Vec<EventId>,
    crashed: Vec<Crashed>,
    /// All bits of the counts in `crashed`.
    counts: M,
    /// What was invoked since `front` was made.
    fresh: M,
    front: Vec<Configuration<M>>,
    next: Antichain<M>,
    seen: Antichain<M>,
    seen_swap_only: Antichain<M>,
    tasks: BinaryHeap<Task<M>>,
    /// The least number of crashed operations that a member of `next` has used.
    fewest: u32,
    incomplete: bool,
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
        let (survey, open) = (self.problem.survey, &mut self.open);
        let mut cleared = M::EMPTY;
        self.crashed.retain(|crashed| {
            let observable = survey.observable(position, crashed.installs);
            if !observable {
                cleared = cleared.or(crashed.retire(open));
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
    fn met(&self, state: ValueId) -> M {
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

    /// Takes steps from all tasks, those with the fewest crashed operations first.
    fn extend(&mut self, completing: Completing) -> Result<(), Stop> {
        while let Some(Task { crashed, from, swap_only, .. }) = self.tasks.pop() {
            if crashed > self.fewest.saturating_add(self.slack) {
                self.incomplete = true;
                break;
            }
            self.check_budget()?;
            let seen = if swap_only { &self.seen_swap_only } else { &self.seen };
            if !seen.is_redundant(from, &mut self.problem.effort.comparisons) {
                self.problem.effort.explored += 1;
                self.step(completing, from, swap_only)?;
            }
        }
        self.keep_survivors();
        Ok(())
    }

    /// All steps from one configuration.
    fn step(
        &mut self,
        completing: Completing,
        c: Configuration<M>,
        swap_only: bool,
    ) -> Result<(), Stop> {
        let usable = |search: &Self, slot: usize| {
            slot == completing.slot || search.open.slot(slot).ahead.is_within(c.used)
        };
        for slot in self.open.on(c.state).swaps.without(c.used).iter() {
            if let Call::Cas(_, to) = self.open.slot(slot).call
                && usable(self, slot)
            {
                let step = Step { to, blind: false, own: M::bit(slot) };
                self.take(completing, c, step, Worth::Itself);
            }
        }
        for at in 0..self.crashed.len() {
            if matches!(self.crashed[at].call, Call::Cas(from, _) if from == c.state) {
                self.take_crashed(completing, c, at)?;
            }
        }
        if swap_only {
            return Ok(());
        }
        for slot in self.open.writes.without(c.used).iter() {
            if let Call::Write(to) = self.open.slot(slot).call
                && usable(self, slot)
            {
                let step = Step { to, blind: true, own: M::bit(slot) };
                let worth = match slot == completing.slot {
                    true => Worth::Itself,
                    false => self.worth(completing, c, step),
                };
                self.take(completing, c, step, worth);
            }
        }
        for at in 0..self.crashed.len() {
            if let Call::Write(to) = self.crashed[at].call
                && !self.can_be_spared(c, to)
            {
                self.take_crashed(completing, c, at)?;
            }
        }
        Ok(())
    }

    /// Whether a compare-and-set could do what a crashed write of `to` would do now: exchanging the
    /// two is never worse, because where the one would come later the other fits as well.
    fn can_be_spared(&self, c: Configuration<M>, to: ValueId) -> bool {
        let call = Call::Cas(c.state, to);
        let mut live = self.open.on(c.state).swaps.without(c.used).iter();
        c.owed.and(self.open.writes).is_empty()
            && (live.any(|slot| self.open.slot(slot).call == call)
                || self.crashed.iter().any(|crashed| crashed.call == call && crashed.left(c.used)))
    }

    /// Lets a crashed operation take effect, if one is left and no open one could do the same.
    fn take_crashed(
        &mut self,
        completing: Completing,
        c: Configuration<M>,
        at: usize,
    ) -> Result<(), Stop> {
        let Crashed { call, installs: to, .. } = self.crashed[at];
        let (blind, rivals) = match call {
            Call::Write(value) => (true, self.open.on(value).writers),
            Call::Read(value) | Call::Cas(value, _) => (false, self.open.on(value).swaps),
        };
        let mut rivals = rivals.without(c.used).iter();
        if rivals.any(|slot| self.open.slot(slot).call == call) || !self.crashed[at].left(c.used) {
            return Ok(());
        }
        let mut step = Step { to, blind, own: M::EMPTY };
        let worth = self.worth(completing, c, step);
        if worth != Worth::Nothing {
            let slot = self.crashed[at].next(c.used, &mut self.open)?;
            step.own = M::bit(slot);
            self.counts = self.counts.or(step.own);
            self.take(completing, c, step, worth);
        }
        Ok(())
    }

    /// What a step is good for that does not end the search for this completion.
    fn worth(&self, completing: Completing, c: Configuration<M>, step: Step<M>) -> Worth {
        let Step { to, blind, own } = step;
        let met = c.owed.and(self.open.on(to).readers);
        // A blind step that is not part of what ends the search can as well follow later, unless
        // the value that the end leaves must stay beyond the deadline of what the step achieves.
        let deadline = |slot| self.open.slot(slot).completion;
        let early = !blind || met.or(own).iter().any(|slot| deadline(slot) < completing.held_until);
        if met.has(completing.slot) || early && !met.is_empty() {
            return Worth::Itself;
        }
        let hides = blind && !c.owed.and(self.open.writes).without(own).is_empty();
        let ends =
            !blind || completing.held_until > 0 || !matches!(completing.call, Call::Write(_));
        if ends && (to != c.state || hides) && self.can_be_swapped(to, c.used) {
            return Worth::ForASwap;
        }
        Worth::Nothing
    }

    fn meets_a_read(&self, c: Configuration<M>, value: ValueId) -> bool {
        !c.owed.and(self.open.on(value).readers).is_empty()
    }

    fn can_be_swapped(&self, value: ValueId, used: M) -> bool {
        let crashed = |crashed: &Crashed| {
            matches!(crashed.call, Call::Cas(from, _) if from == value) && crashed.left(used)
        };
        !self.open.on(value).swaps.without(used).is_empty() || self.crashed.iter().any(crashed)
    }

    /// Lets one operation take effect.
    fn take(&mut self, completing: Completing, c: Configuration<M>, step: Step<M>, worth: Worth) {
        if worth == Worth::Nothing {
            return;
        }
        let hidden = if step.blind { self.open.writes } else { M::EMPTY };
        let owed = c.owed.without(step.own).without(hidden).without(self.met(step.to));
        let after = Configuration { state: step.to, owed, used: c.used.or(step.own) };
        let met_read = completing.call.installs().is_none() && !after.owed.has(completing.slot);
        if step.own.has(completing.slot) || met_read {
            self.survive(completing, after);
        } else {
            self.add_task(after, worth == Worth::ForASwap);
        }
    }

    /// Whether anyone can find the value that the register holds, after the completion.
    fn is_alive(&self, completing: Completing, c: Configuration<M>) -> bool {
        let next_reader = self.next_reader[c.state.index()];
        let owed = || c.owed.and(self.open.installers).iter();
        next_reader < completing.horizon.any
            && owed().all(|slot| next_reader < self.open.slot(slot).completion)
            || self.can_be_swapped(c.state, c.used)
    }

    fn survive(&mut self, completing: Completing, mut c: Configuration<M>) {
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

    fn add_task(&mut self, from: Configuration<M>, swap_only: bool) {
        let comparisons = &mut self.problem.effort.comparisons;
        let added = if swap_only {
            !self.seen.covers(from, comparisons) && self.seen_swap_only.push(from, comparisons)
        } else {
            self.seen.push(from, comparisons)
        };
        if added {
            let crashed = from.used.and(self.counts).len();
            self.tasks.push(Task { crashed, used: from.used.len(), from, swap_only });
        }
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
            cleared = cleared.or(crashed.tidy(in_all, in_any, &mut self.open));
        }
        for c in &mut self.front {
            c.used = c.used.without(cleared);
        }
    }

    fn check_budget(&self) -> Result<(), Stop> {
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
