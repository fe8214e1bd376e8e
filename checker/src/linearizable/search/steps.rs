//! What may take effect before an operation completes.
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

use super::super::{Call, ValueId};
use super::Stop;
use super::antichain::Configuration;
use super::crashed::Crashed;
use super::mask::Mask;
use super::walk::{Completing, Search};

/// A configuration to extend, perhaps by a compare-and-set only.
///
/// The order puts first (that is, highest) those that used the fewest crashed operations and then
/// those that used the fewest of all. Each step uses one more, so what makes a configuration
/// redundant is always seen before that one's turn comes.
pub(super) struct Task<M> {
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

impl<M: Mask> Search<'_, '_, M> {
    /// Takes steps from all tasks, those with the fewest crashed operations first.
    pub(super) fn extend(&mut self, completing: Completing) -> Result<(), Stop> {
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
            let slot = self.crashed[at].next(c.used, &mut self.open.free)?;
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

    pub(super) fn meets_a_read(&self, c: Configuration<M>, value: ValueId) -> bool {
        !c.owed.and(self.open.on(value).readers).is_empty()
    }

    pub(super) fn can_be_swapped(&self, value: ValueId, used: M) -> bool {
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

    pub(super) fn add_task(&mut self, from: Configuration<M>, swap_only: bool) {
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
}
