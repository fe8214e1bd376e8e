//! The search one event at a time, when nobody knows what comes next.
//!
//! The rules are those of `steps`, without the ones that look ahead: any value may still be read.

mod closure;
mod steps;

use super::super::super::{Call, Limit, ValueId};
use super::super::crashed::Crashed;
use super::super::mask::Mask;
use super::super::open::{Free, Full};
use super::Reached;
use closure::Closure;
use steps::is_met;

/// Slots of operations and counts; more than this many open ones are given up.
type Bits = u128;

/// One explanation of the events so far, see [`super::super::antichain::Configuration`].
#[derive(Clone, Copy)]
struct Configuration {
    state: ValueId,
    owed: Bits,
    used: Bits,
    /// The last node of its path, if paths are recorded.
    path: usize,
}

/// An operation that took effect where it could be seen, after others did.
#[derive(Clone, Copy)]
struct Node {
    before: usize,
    used: Use,
    completion: u64,
}

/// What took effect where it could be seen.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Op(u64),
    /// Any of the crashed operations with this call.
    Crashed(Call),
}

/// The path of the configuration at the start.
const START: usize = usize::MAX;

/// All explanations of the events so far.
#[derive(Clone)]
pub(super) struct Walker {
    /// Nodes of paths, if they are recorded.
    paths: Option<Vec<Node>>,
    front: Vec<Configuration>,
    open: Vec<Option<Open>>,
    free: Free<Bits>,
    crashed: Vec<Crashed>,
}

/// An open operation whose completion is known.
#[derive(Clone, Copy)]
struct Open {
    op: u64,
    call: Call,
    completion: u64,
}

impl Walker {
    pub(super) fn new(initial: ValueId) -> Walker {
        let start = Configuration { state: initial, owed: 0, used: 0, path: START };
        let (open, crashed) = Default::default();
        Walker { paths: None, front: vec![start], open, free: Free::all(), crashed }
    }

    /// The same, with what took effect recorded for [`Walker::uses`].
    pub(super) fn recording(initial: ValueId) -> Walker {
        Walker { paths: Some(Vec::new()), ..Walker::new(initial) }
    }

    /// What one of the explanations lets take effect visibly, in order, each with the operation
    /// before whose completion it did.
    pub(super) fn uses(&self) -> Vec<(Use, u64)> {
        let nodes = self.paths.as_deref().unwrap_or_default();
        let last = self.front.first().map_or(START, |c| c.path);
        let path = std::iter::successors(nodes.get(last), |node| nodes.get(node.before));
        let mut uses: Vec<(Use, u64)> = path.map(|node| (node.used, node.completion)).collect();
        uses.reverse();
        uses
    }

    /// Whether nothing explains the events.
    pub(super) fn is_refuted(&self) -> bool {
        self.front.is_empty()
    }

    /// What each explanation says of the moment.
    pub(super) fn reached(&self) -> Vec<Reached> {
        let owed = |c: &Configuration| {
            c.owed.iter().filter_map(|slot| Some(self.open[slot]?.op as usize)).collect()
        };
        self.front.iter().map(|c| Reached { state: c.state, to_come: owed(c) }).collect()
    }

    /// All values that matter for what comes next.
    pub(super) fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        let states = self.front.iter().map(|c| c.state);
        let calls = self.open.iter().flatten().map(|open| open.call);
        let calls = calls.chain(self.crashed.iter().map(|crashed| crashed.call));
        states.chain(calls.flat_map(|call| [call.expects(), call.installs()]).flatten())
    }

    /// How much is held: configurations and kinds of crashed operations.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.front.len() + self.crashed.len()
    }

    /// An operation that completes at `completion` begins.
    pub(super) fn invoke(&mut self, op: u64, call: Call, completion: u64) -> Result<(), Limit> {
        let slot = self.free.take()?;
        if self.open.len() <= slot {
            self.open.resize(slot + 1, None);
        }
        self.open[slot] = Some(Open { op, call, completion });
        for c in &mut self.front {
            if !is_met(call, c.state) {
                c.owed.insert(slot);
            }
        }
        Ok(())
    }

    /// An operation begins that may take effect at any time or never.
    pub(super) fn crash(&mut self, call: Call) {
        let Some(installs) = call.installs() else { return };
        let known = self.crashed.iter().position(|crashed| crashed.call == call);
        let at = known.unwrap_or_else(|| {
            self.crashed.push(Crashed::new(call, installs));
            self.crashed.len() - 1
        });
        self.crashed[at].invoke();
    }

    /// An open operation completes, which may leave nothing that explains the events. Takes
    /// comparisons of configurations out of `effort`.
    pub(super) fn complete(&mut self, op: u64, effort: &mut u64) -> Result<(), Limit> {
        let is_it = |open: &Option<Open>| open.is_some_and(|open| open.op == op);
        let slot = self.open.iter().position(is_it).expect("an open operation");
        let call = self.open[slot].expect("an open operation").call;
        let wanted = self.wanted();
        let (next, seen, tasks) = Default::default();
        let paths = self.paths.take();
        let mut closure = Closure { op, slot, call, wanted, next, seen, tasks, paths, effort };
        for c in std::mem::take(&mut self.front) {
            let owes = c.owed.has(slot);
            if !owes {
                closure.survive(c)?;
            }
            // A write that was hidden may still be used visibly, now or never.
            if owes || matches!(call, Call::Write(_)) && !c.used.has(slot) {
                closure.add_task(c)?;
            }
        }
        while let Some(c) = closure.tasks.pop() {
            self.step(&mut closure, c)?;
        }
        self.front = closure.next;
        self.paths = closure.paths;
        self.open[slot] = None;
        self.free.release(slot);
        self.tidy();
        Ok(())
    }

    /// Gives back the bits of counts that differ no more.
    fn tidy(&mut self) {
        let in_all = self.front.iter().fold(Bits::FULL, |all, c| all.and(c.used));
        let in_any = self.front.iter().fold(0, |any: Bits, c| any.or(c.used));
        let mut cleared = 0;
        for crashed in &mut self.crashed {
            cleared = crashed.tidy(in_all, in_any, &mut self.free).or(cleared);
        }
        for c in &mut self.front {
            c.used = c.used.without(cleared);
        }
    }
}

impl From<Full> for Limit {
    fn from(_: Full) -> Limit {
        Limit::OpenOperations
    }
}
