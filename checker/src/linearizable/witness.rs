//! The smallest part of a history that proves a violation, by delta debugging (Zeller and
//! Hildebrandt 2002) over spans of operations and then single ones.
//!
//! Leaving out operations must never *make* a violation: a read without the write it saw proves
//! nothing. So a part of a history is judged as [`weakened`], in which that cannot happen.

use super::weaken::Part;
use super::{Budget, Decision, RegisterOp, ValueId, decide, prepare};
use crate::reduce::reduce;

/// Comparisons that are always worth trying.
const GLANCE: u64 = 1_000_000;

/// Where a procedure found a violation.
#[derive(Debug)]
pub(super) enum Seed {
    /// These operations contain it.
    Operations(Vec<usize>),
    /// No order explains the completion of this operation with all before it.
    Completion(usize),
}

/// A minimal witness of a violation, ascending.
pub(super) fn minimal(
    initial: ValueId,
    ops: &[RegisterOp],
    seed: Seed,
    budget: &Budget,
) -> Vec<usize> {
    let budget = Budget { comparisons: budget.comparisons / 4, ..*budget };
    let mut shrink = Shrink { initial, ops, budget };
    let part = match seed {
        Seed::Operations(seed) => Part::with_sources(ops, seed),
        Seed::Completion(op) => shrink
            .span_before(op, usize::MAX, usize::MAX)
            .unwrap_or_else(|| Part::with_sources(ops, up_to(ops, op).collect())),
    };
    debug_assert!(
        shrink.is_violation(&part, part.members()) || shrink.budget.comparisons == 0,
        "a witness must be a violation on its own"
    );
    shrink.reduce(&part)
}

/// A violation in a span of at most `longest` operations before the completion of `last` and those
/// that these can depend on, in all at most half of the history. Takes what it needs out of the
/// budget.
pub(super) fn in_span_before(
    initial: ValueId,
    ops: &[RegisterOp],
    last: usize,
    longest: usize,
    budget: &mut Budget,
) -> Option<Vec<usize>> {
    let mut shrink = Shrink { initial, ops, budget: *budget };
    let part = shrink.span_before(last, longest, ops.len() / 2);
    *budget = shrink.budget;
    part.map(|part| part.members().to_vec())
}

/// The operations invoked before the completion of `last`.
fn up_to(ops: &[RegisterOp], last: usize) -> impl Iterator<Item = usize> + '_ {
    let end = ops[last].deadline();
    (0..ops.len()).filter(move |&op| ops[op].invoked <= end)
}

struct Shrink<'a> {
    initial: ValueId,
    ops: &'a [RegisterOp],
    /// What is left of the budget.
    budget: Budget,
}

impl<'a> Shrink<'a> {
    /// Whether these members of a part, ascending, are a violation on their own.
    fn is_violation(&mut self, part: &Part<'a>, kept: &[usize]) -> bool {
        let weakened = part.weakened(kept);
        // One hard case must not use up what is there for all.
        let share = self.budget.comparisons.min(GLANCE + self.budget.comparisons / 64);
        let budget = Budget { comparisons: share, ..self.budget };
        let (decision, effort) = match prepare::renumbered(self.initial, &weakened) {
            Some((initial, weakened)) => decide(initial, &weakened, &budget),
            None => decide(self.initial, &weakened, &budget),
        };
        let cost = effort.comparisons + part.members().len() as u64;
        self.budget.comparisons = self.budget.comparisons.saturating_sub(cost);
        matches!(decision, Decision::No(_))
    }

    /// The shortest span of operations, doubling from 16, that ends at the completion of `last`
    /// and, with at most `most` operations in all, is a violation on its own.
    fn span_before(&mut self, last: usize, longest: usize, most: usize) -> Option<Part<'a>> {
        let ops = self.ops;
        let mut before: Vec<usize> = up_to(ops, last).collect();
        before.sort_unstable_by_key(|&op| ops[op].deadline());
        // Those still open are always in.
        let completed = before.partition_point(|&op| ops[op].deadline() <= ops[last].deadline());
        let mut span = 16;
        while span <= longest && span < completed && self.budget.comparisons > 0 {
            let part = Part::with_sources(ops, before[completed - span..].to_vec());
            if part.members().len() > most {
                break;
            }
            if self.is_violation(&part, part.members()) {
                return Some(part);
            }
            span *= 2;
        }
        None
    }

    /// Takes out operations while what remains is a violation.
    fn reduce(&mut self, part: &Part<'a>) -> Vec<usize> {
        reduce(part.members().to_vec(), |kept| {
            (self.budget.comparisons > 0).then(|| self.is_violation(part, kept))
        })
    }
}
