//! The search on a history that is still growing.
//!
//! What an operation did is known only when it completes, but it mattered from its invocation on.
//! So the walk is kept at some points of the past, and an answer takes it back to the last of them
//! before the operation was invoked. Until then a read is as if it were not there, and a write or
//! compare-and-set is one that may or may not have happened: just what a history says that ends
//! here. What lies before the oldest operation without an outcome is never looked at again, so
//! memory follows the open operations.

mod order;
mod reached;
mod walker;

use std::collections::VecDeque;

use super::super::{Call, Limit, ValueId};
pub(in super::super) use order::order;
pub(crate) use reached::{Reached, unexplained};
use walker::Walker;

/// Events between two points to which the walk can go back.
const STRIDE: u64 = 16;
/// Events that are kept for the sake of one operation without an outcome.
const WINDOW: usize = 1 << 16;
/// Comparisons of two configurations that one look may take.
const EFFORT: u64 = 50_000_000;

/// An operation, by the order of invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpId(u64);

/// What is known of a history so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Some order explains every answer.
    Explained,
    /// No order explains the answers up to now, whatever comes.
    Refuted,
    /// It cost too much to say.
    GivenUp(Limit),
}

/// The operations on one register, as they happen.
pub(crate) struct Live {
    ops: VecDeque<Op>,
    first_op: u64,
    events: VecDeque<Event>,
    first_event: u64,
    /// The walk before the event of a number, ascending; never empty.
    checkpoints: Vec<(u64, Walker)>,
    /// The first event whose meaning has changed since the last look.
    changed: Option<u64>,
    known: Known,
    is_exact: bool,
}

#[derive(Clone, Copy)]
struct Event {
    op: u64,
    completes: bool,
}

struct Op {
    invocation: u64,
    outcome: Outcome,
    /// Of a read, its answer once it is known.
    call: Option<Call>,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Open,
    /// With the number of the event.
    Completed(u64),
    Crashed,
    /// Also of a read without an answer.
    Failed,
}

impl Live {
    pub(crate) fn new(initial: ValueId) -> Live {
        Live {
            ops: VecDeque::new(),
            first_op: 0,
            events: VecDeque::new(),
            first_event: 0,
            checkpoints: vec![(0, Walker::new(initial))],
            changed: None,
            known: Known::Explained,
            is_exact: true,
        }
    }

    /// An operation begins; `None` stands for a read.
    pub(crate) fn invoke(&mut self, call: Option<Call>) -> OpId {
        let id = self.first_op + self.ops.len() as u64;
        self.ops.push_back(Op { invocation: self.end(), outcome: Outcome::Open, call });
        self.events.push_back(Event { op: id, completes: false });
        OpId(id)
    }

    /// An operation completes; with its answer, if it is a read.
    pub(crate) fn complete(&mut self, op: OpId, answer: Option<ValueId>) {
        let end = self.end();
        if let Some(known) = self.decide(op, Outcome::Completed(end)) {
            known.call = known.call.or(answer.map(Call::Read));
            self.events.push_back(Event { op: op.0, completes: true });
        }
    }

    /// An operation certainly did not happen, or is a read that gets no answer.
    pub(crate) fn fail(&mut self, op: OpId) {
        self.decide(op, Outcome::Failed);
    }

    /// Nobody will ever know whether an operation happened.
    pub(crate) fn crash(&mut self, op: OpId) {
        // That is how it was looked at so far.
        let changed = self.changed;
        self.decide(op, Outcome::Crashed);
        self.changed = changed;
    }

    /// Whether [`Known::Explained`] means that everything was looked at.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// All values that matter for what comes next.
    pub(crate) fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        let calls = self.ops.iter().filter_map(|op| op.call);
        let of_ops = calls.flat_map(|call| [call.expects(), call.installs()]).flatten();
        of_ops.chain(self.checkpoints.iter().flat_map(|(_, walker)| walker.values()))
    }

    /// Looks at what has happened since the last time.
    pub(crate) fn look(&mut self) -> Known {
        if self.known == Known::Explained
            && let Some(changed) = self.changed.take()
        {
            self.known = match self.walk_from(changed) {
                Ok(true) => Known::Explained,
                Ok(false) => Known::Refuted,
                Err(limit) => Known::GivenUp(limit),
            };
            if self.known == Known::Explained {
                self.forget();
            } else {
                self.ops.clear();
                self.events.clear();
                self.checkpoints.truncate(1);
            }
        }
        self.known
    }

    /// The number of the next event.
    fn end(&self) -> u64 {
        self.first_event + self.events.len() as u64
    }

    /// `None` if the operation is forgotten.
    fn decide(&mut self, op: OpId, outcome: Outcome) -> Option<&mut Op> {
        let at = op.0.checked_sub(self.first_op)?;
        let op = self.ops.get_mut(at as usize).filter(|op| op.outcome == Outcome::Open)?;
        op.outcome = outcome;
        self.changed = Some(self.changed.map_or(op.invocation, |first| first.min(op.invocation)));
        Some(op)
    }

    /// Whether some order explains everything, given that nothing changed before this event.
    fn walk_from(&mut self, changed: u64) -> Result<bool, Limit> {
        let kept = self.checkpoints.partition_point(|(before, _)| *before <= changed);
        self.checkpoints.truncate(kept);
        let (mut at, mut walker) = self.checkpoints[kept - 1].clone();
        let mut effort = EFFORT;
        while at < self.end() {
            let Event { op: id, completes } = self.events[(at - self.first_event) as usize];
            if completes {
                walker.complete(id, &mut effort)?;
                if walker.is_refuted() {
                    return Ok(false);
                }
            } else {
                let op = &self.ops[(id - self.first_op) as usize];
                match (op.outcome, op.call) {
                    (Outcome::Completed(end), Some(call)) => walker.invoke(id, call, end)?,
                    (Outcome::Open | Outcome::Crashed, Some(call)) => walker.crash(call),
                    (Outcome::Failed, _) | (_, None) => {}
                }
            }
            at += 1;
            if at.is_multiple_of(STRIDE) {
                self.checkpoints.push((at, walker.clone()));
            }
        }
        Ok(true)
    }

    /// Forgets what lies before the last point that precedes every operation without an outcome.
    fn forget(&mut self) {
        if self.events.len() > WINDOW
            && let Some(oldest) = self.oldest_open()
        {
            // Without its answer less can be refuted, but nothing falsely.
            let op = &mut self.ops[oldest];
            op.outcome = if op.call.is_some() { Outcome::Crashed } else { Outcome::Failed };
            self.is_exact = false;
        }
        let end = self.oldest_open().map_or(u64::MAX, |oldest| self.ops[oldest].invocation);
        let kept = self.checkpoints.partition_point(|(before, _)| *before <= end);
        self.checkpoints.drain(..kept - 1);
        let first = self.checkpoints[0].0;
        self.events.drain(..(first - self.first_event) as usize);
        self.first_event = first;
        let decided = self.ops.partition_point(|op| op.invocation < first);
        self.ops.drain(..decided);
        self.first_op += decided as u64;
    }

    fn oldest_open(&self) -> Option<usize> {
        self.ops.iter().position(|op| op.outcome == Outcome::Open)
    }

    /// How much is held: operations, events, configurations.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        let configurations = self.checkpoints.iter().map(|(_, walker)| walker.held());
        self.ops.len() + self.events.len() + configurations.sum::<usize>()
    }
}
