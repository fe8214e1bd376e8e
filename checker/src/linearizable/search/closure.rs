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
//! - *Dominance.* With the same state, owing less and having used less is never worse.

use super::super::{Call, Limit, ValueId};
use super::antichain::{Antichain, Configuration};
use super::crashed::Crashed;
use super::mask::Mask;
use super::open::{Full, Open};
use super::{Event, Problem, Stop, Walk};

/// A configuration to extend, perhaps by a compare-and-set only.
#[derive(Clone, Copy)]
struct Task<M> {
    from: Configuration<M>,
    swap_only: bool,
}

/// The operation that completes.
#[derive(Clone, Copy)]
struct Completing {
    slot: usize,
    call: Call,
}

/// A walk with configurations that have used at most `slack` more crashed operations than needed.
pub(super) struct Search<'p, 'a, M> {
    problem: &'p mut Problem<'a>,
    slack: u32,
    /// The value that stands for all that nobody can find any more.
    unobservable: ValueId,
    open: Open<M>,
    slot_of: Vec<u32>,
    crashed: Vec<Crashed>,
    /// All bits of the counts in `crashed`.
    counts: M,
    /// What was invoked since `front` was made.
    fresh: M,
    front: Vec<Configuration<M>>,
    next: Antichain<M>,
    seen: Antichain<M>,
    seen_swap_only: Antichain<M>,
    /// What is to be extended, by the number of crashed operations it has used.
    tasks: Vec<Vec<Task<M>>>,
    /// The least number of crashed operations that a member of `next` has used.
    fewest: u32,
    incomplete: bool,
}

impl<'p, 'a, M: Mask> Search<'p, 'a, M> {
    pub(super) fn new(problem: &'p mut Problem<'a>, slack: u32) -> Self {
        let values = problem.survey.values() + 1;
        let state = problem.initial;
        Search {
            slack,
            unobservable: ValueId(values as u32 - 1),
            open: Open::new(values),
            slot_of: vec![0; problem.ops.len()],
            crashed: Vec::new(),
            counts: M::EMPTY,
            fresh: M::EMPTY,
            front: vec![Configuration { state, owed: M::EMPTY, used: M::EMPTY }],
            next: Antichain::new(values),
            seen: Antichain::new(values),
            seen_swap_only: Antichain::new(values),
            tasks: Vec::new(),
            fewest: u32::MAX,
            incomplete: false,
            problem,
        }
    }

    pub(super) fn walk(mut self) -> Result<Walk, Stop> {
        self.problem.passed = 0;
        for at in 0..self.problem.events.len() {
            let Event { position, completes, op } = self.problem.events[at];
            if !completes {
                self.invoke(op as usize)?;
                continue;
            }
            self.forget(position);
            self.complete(self.slot_of[op as usize] as usize)?;
            if self.front.is_empty() {
                return Ok(Walk { unexplained: Some(op as usize), incomplete: self.incomplete });
            }
            self.problem.passed += 1;
        }
        Ok(Walk { unexplained: None, incomplete: self.incomplete })
    }

    fn invoke(&mut self, index: usize) -> Result<(), Stop> {
        let op = &self.problem.ops[index];
        if op.returned.is_some() {
            let slot = self.open.invoke(op)?;
            self.slot_of[index] = slot as u32;
            self.fresh = self.fresh.or(M::bit(slot));
            return Ok(());
        }
        let Some(installs) = op.call.installs() else { return Ok(()) };
        let at = self.crashed.iter().position(|crashed| crashed.call == op.call);
        let at = at.unwrap_or_else(|| {
            self.crashed.push(Crashed::new(op.call, installs));
            self.crashed.len() - 1
        });
        self.crashed[at].invoke();
        Ok(())
    }

    /// Forgets values that nobody can find at `position` or later.
    fn forget(&mut self, position: u64) {
        let (survey, unobservable) = (self.problem.survey, self.unobservable);
        let gone = |value: ValueId| value != unobservable && !survey.observable(position, value);
        let mut cleared = M::EMPTY;
        let open = &mut self.open;
        self.crashed.retain(|crashed| {
            let retire = gone(crashed.installs);
            if retire {
                cleared = cleared.or(crashed.retire(open));
            }
            !retire
        });
        for c in &mut self.front {
            c.used = c.used.without(cleared);
            if gone(c.state) {
                c.state = unobservable;
            }
        }
    }

    /// Makes the front after the completion of the operation in `slot`.
    fn complete(&mut self, slot: usize) -> Result<(), Stop> {
        let completing = Completing { slot, call: self.open.slot(slot).call };
        self.next.clear();
        self.seen.clear();
        self.seen_swap_only.clear();
        self.tasks.iter_mut().for_each(Vec::clear);
        self.counts = self.crashed.iter().fold(M::EMPTY, |all, crashed| all.or(crashed.bits()));
        self.fewest = u32::MAX;
        self.begin(completing);
        self.extend(completing)?;
        self.finish(slot);
        let size = self.front.len();
        self.problem.effort.peak_front = self.problem.effort.peak_front.max(size);
        Ok(())
    }

    /// Sorts the front into what survives the completion as it is and what must be extended.
    fn begin(&mut self, completing: Completing) {
        let mut front = std::mem::take(&mut self.front);
        for mut c in front.drain(..) {
            c.owed = c.owed.or(self.fresh).without(self.open.on(c.state).met());
            let survives = !c.owed.has(completing.slot);
            if survives {
                self.survive(completing.slot, c);
            }
            let usable = matches!(completing.call, Call::Write(_)) && !c.used.has(completing.slot);
            if !survives || usable {
                self.add_task(c, false);
            }
        }
        self.front = front;
        self.fresh = M::EMPTY;
    }

    /// Takes steps from all tasks, those with the fewest crashed operations first.
    fn extend(&mut self, completing: Completing) -> Result<(), Stop> {
        let mut level = 0;
        while level < self.tasks.len() {
            if level as u32 > self.fewest.saturating_add(self.slack) {
                self.incomplete |= self.tasks[level..].iter().any(|tasks| !tasks.is_empty());
                break;
            }
            while let Some(task) = self.tasks[level].pop() {
                self.check_budget()?;
                // Something that came later may have made it redundant.
                let seen = if task.swap_only { &self.seen_swap_only } else { &self.seen };
                if seen.contains(&task.from) {
                    self.problem.effort.explored += 1;
                    self.step(completing, task)?;
                }
            }
            level += 1;
        }
        self.keep_survivors();
        Ok(())
    }

    /// All steps from one configuration.
    fn step(&mut self, completing: Completing, task: Task<M>) -> Result<(), Stop> {
        let c = task.from;
        let usable = |search: &Self, slot: usize| {
            slot == completing.slot || search.open.slot(slot).ahead.is_within(c.used)
        };
        for slot in self.open.on(c.state).swaps.without(c.used).iter() {
            if let Call::Cas(_, to) = self.open.slot(slot).call
                && usable(self, slot)
            {
                self.take(completing, c, slot, to, M::bit(slot), true);
            }
        }
        for at in 0..self.crashed.len() {
            if matches!(self.crashed[at].call, Call::Cas(from, _) if from == c.state) {
                self.take_crashed(completing, c, at)?;
            }
        }
        if task.swap_only {
            return Ok(());
        }
        for slot in self.open.writes.without(c.used).iter() {
            if let Call::Write(value) = self.open.slot(slot).call
                && usable(self, slot)
            {
                let discharged = self.open.writes;
                self.take(completing, c, slot, value, discharged, slot == completing.slot);
            }
        }
        for at in 0..self.crashed.len() {
            if matches!(self.crashed[at].call, Call::Write(_)) {
                self.take_crashed(completing, c, at)?;
            }
        }
        Ok(())
    }

    /// Lets a crashed operation take effect, if one is left and no open one could do the same.
    fn take_crashed(
        &mut self,
        completing: Completing,
        c: Configuration<M>,
        at: usize,
    ) -> Result<(), Stop> {
        let Crashed { call, installs, .. } = self.crashed[at];
        let (rivals, discharged) = match call {
            Call::Write(value) => (self.open.on(value).writers, self.open.writes),
            Call::Read(value) | Call::Cas(value, _) => (self.open.on(value).swaps, M::EMPTY),
        };
        let mut rivals = rivals.without(c.used).iter();
        if rivals.any(|slot| self.open.slot(slot).call == call)
            || !self.crashed[at].left(c.used)
            || !self.is_useful(c, installs, discharged)
        {
            return Ok(());
        }
        let slot = self.crashed[at].next(c.used, &mut self.open)?;
        self.counts = self.counts.or(M::bit(slot));
        self.take(completing, c, slot, installs, discharged, false);
        Ok(())
    }

    /// Whether it can help that `value` comes into the register.
    fn is_useful(&self, c: Configuration<M>, value: ValueId, discharged: M) -> bool {
        self.meets_a_read(c, value)
            || (value != c.state || !c.owed.and(discharged).is_empty())
                && self.can_be_swapped(value, c.used)
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

    /// Lets one operation take effect: `to` comes into the register, `discharged` owe nothing
    /// more. `needed`: it is worth it whatever comes next.
    fn take(
        &mut self,
        completing: Completing,
        c: Configuration<M>,
        slot: usize,
        to: ValueId,
        discharged: M,
        needed: bool,
    ) {
        if !needed && !self.is_useful(c, to, discharged.without(M::bit(slot))) {
            return;
        }
        let swap_only = !needed && !self.meets_a_read(c, to);
        let owed = c.owed.without(discharged).without(self.open.on(to).met());
        let after = Configuration { state: to, owed, used: c.used.or(M::bit(slot)) };
        let met_read = completing.call.installs().is_none() && !after.owed.has(completing.slot);
        if slot == completing.slot || met_read {
            self.survive(completing.slot, after);
        } else {
            self.add_task(after, swap_only);
        }
    }

    fn survive(&mut self, slot: usize, mut c: Configuration<M>) {
        c.owed = c.owed.without(M::bit(slot));
        c.used = c.used.without(M::bit(slot));
        self.fewest = self.fewest.min(c.used.and(self.counts).len());
        self.next.insert(c, &mut self.problem.effort.comparisons);
    }

    fn add_task(&mut self, from: Configuration<M>, swap_only: bool) {
        let comparisons = &mut self.problem.effort.comparisons;
        let added = if swap_only {
            !self.seen.covers(from, comparisons) && self.seen_swap_only.insert(from, comparisons)
        } else {
            self.seen.insert(from, comparisons)
        };
        if added {
            let level = from.used.and(self.counts).len() as usize;
            if self.tasks.len() <= level {
                self.tasks.resize_with(level + 1, Vec::new);
            }
            self.tasks[level].push(Task { from, swap_only });
        }
    }

    /// Makes the front of the survivors, except for those that used too many crashed operations.
    fn keep_survivors(&mut self) {
        let most = self.fewest.saturating_add(self.slack);
        let counts = self.counts;
        self.front.extend(self.next.iter().filter(|c| c.used.and(counts).len() <= most));
        self.incomplete |= self.front.len() < self.next.len();
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
