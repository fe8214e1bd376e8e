//! How far a violation can be explained.

use super::super::super::{RegisterOp, ValueId};
use super::EFFORT;
use super::walker::Walker;

/// The operation that nothing explains, and all ways in which those before it can have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unexplained {
    /// Its index.
    pub op: usize,
    /// Just before its completion.
    pub reached: Vec<Reached>,
    /// The operations that were answered before it, in the order of their completions, each with
    /// all ways in which those up to it can have happened.
    pub answered: Vec<(usize, Vec<Reached>)>,
}

/// One way in which operations can have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// What the register holds.
    pub state: ValueId,
    /// Indices of the open operations that have not taken effect.
    pub to_come: Vec<usize>,
}

/// Walks through the operations up to the completion that nothing explains; `None` if there is
/// none, or if it costs too much.
pub(crate) fn unexplained(initial: ValueId, ops: &[RegisterOp]) -> Option<Unexplained> {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * ops.len());
    for (at, op) in ops.iter().enumerate() {
        events.push((op.invoked, false, at));
        events.extend(op.returned.map(|returned| (returned, true, at)));
    }
    events.sort_unstable();
    let mut walker = Walker::new(initial);
    let mut effort = EFFORT;
    let mut answered = Vec::new();
    for (_, completes, at) in events {
        match ops[at].returned {
            _ if completes => {
                let mut after = walker.clone();
                after.complete(at as u64, &mut effort).ok()?;
                if after.is_refuted() {
                    return Some(Unexplained { op: at, reached: walker.reached(), answered });
                }
                walker = after;
                answered.push((at, walker.reached()));
            }
            Some(returned) => walker.invoke(at as u64, ops[at].call, returned).ok()?,
            None => walker.crash(ops[at].call),
        }
    }
    None
}
