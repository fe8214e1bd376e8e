//! Locks, whose holders take turns: O(n log n).
//!
//! A walk over the completions that does only what it must, and each time what is due first. To do
//! more can wait: what is left undone then can be done at any later moment, in pairs that leave the
//! lock as it is, until it is due itself. So a single way of doing it is followed, and it fails
//! only if all do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Answer, Timed};

/// Which side of a lock an operation is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Acquire,
    Release,
}

/// Operations by what is to be done first.
type Due = BinaryHeap<Reverse<(u64, usize)>>;

/// Decides a history of operations that are each one side's turn. Acquisitions that have a rank
/// happen in ascending order of it; all have one or none has.
pub(super) fn decide<Op>(
    ops: &[Timed<Op>],
    turn: impl Fn(&Op) -> Turn,
    rank: impl Fn(&Op) -> Option<u64>,
) -> Answer {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * ops.len());
    for (at, op) in ops.iter().enumerate() {
        events.push((op.invoked, false, at));
        events.extend(op.returned.map(|returned| (returned, true, at)));
    }
    events.sort_unstable();
    let (mut acquires, mut releases) = (Due::new(), Due::new());
    let mut done = vec![false; ops.len()];
    let (mut held, mut last_rank) = (false, None);
    for (_, is_completion, op) in events {
        if !is_completion {
            let due = ops[op].deadline();
            match turn(&ops[op].op) {
                Turn::Acquire => {
                    acquires.push(Reverse((rank(&ops[op].op).unwrap_or(due), op)));
                }
                Turn::Release => releases.push(Reverse((due, op))),
            }
        }
        while is_completion && !done[op] {
            let next = if held { releases.pop() } else { acquires.pop() };
            let Some(Reverse((_, next))) = next else { return Answer::No { at: Some(op) } };
            let rank = rank(&ops[next].op);
            if !held && rank.is_some() && rank <= last_rank {
                return Answer::No { at: Some(op) };
            }
            last_rank = rank.filter(|_| !held).or(last_rank);
            done[next] = true;
            held = !held;
        }
    }
    Answer::Yes
}

/// More turns of one side than there can have been while at most so many of the other were
/// possible: a violation by themselves. `at` is the completion that cannot be explained, of
/// operations without ranks; ascending.
pub(super) fn too_many<Op>(
    ops: &[Timed<Op>],
    turn: impl Fn(&Op) -> Turn,
    at: usize,
) -> Option<Vec<usize>> {
    let end = ops[at].deadline();
    [Turn::Acquire, Turn::Release].into_iter().find_map(|side| {
        let mut within: Vec<usize> = (0..ops.len())
            .filter(|op| turn(&ops[*op].op) == side && ops[*op].deadline() <= end)
            .collect();
        within.sort_unstable_by_key(|op| Reverse(ops[*op].invoked));
        let mut possible: Vec<usize> = (0..ops.len())
            .filter(|op| turn(&ops[*op].op) != side && ops[*op].invoked <= end)
            .collect();
        possible.sort_unstable_by_key(|op| Reverse(ops[*op].deadline()));
        let between = |start: u64| possible.partition_point(|op| ops[*op].deadline() >= start);
        let mut counts = (1..).zip(&within).map(|(count, op)| (count, between(ops[*op].invoked)));
        // Between two turns of a side there is one of the other; and one before the first release.
        let (count, others) =
            counts.find(|(count, others)| *count >= others + 2).or_else(|| {
                let all = (within.len(), possible.len());
                (side == Turn::Release && all.0 > all.1).then_some(all)
            })?;
        let mut found = [&within[..count], &possible[..others]].concat();
        found.sort_unstable();
        Some(found)
    })
}
