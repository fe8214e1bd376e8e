//! The smallest part of a history that proves a violation, by delta debugging (Zeller and
//! Hildebrandt 2002) over spans of operations and then single ones.
//!
//! Leaving out operations must never *make* a violation: a read without the write it saw proves
//! nothing. So a part of a history is judged as [`weakened`], in which that cannot happen.

use super::weaken::Part;
use super::{Budget, Decision, RegisterOp, ValueId, decide, prepare};

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
    let mut shrink = Shrink { initial, ops, budget: *budget };
    let part = match seed {
        Seed::Operations(seed) => Part::with_sources(ops, seed),
        Seed::Completion(op) => shrink.span_before(op),
    };
    debug_assert!(
        shrink.is_violation(&part, part.members()) || shrink.budget.comparisons == 0,
        "a witness must be a violation on its own"
    );
    shrink.reduce(&part)
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
        let (decision, effort) = match prepare::renumbered(self.initial, &weakened) {
            Some((initial, weakened)) => decide(initial, &weakened, &self.budget),
            None => decide(self.initial, &weakened, &self.budget),
        };
        let cost = effort.comparisons + part.members().len() as u64;
        self.budget.comparisons = self.budget.comparisons.saturating_sub(cost);
        matches!(decision, Decision::No(_))
    }

    /// The shortest span of operations, doubling from 16, that ends at the completion of `last`
    /// and is a violation on its own.
    fn span_before(&mut self, last: usize) -> Part<'a> {
        let ops = self.ops;
        let end = ops[last].deadline();
        let mut before: Vec<usize> = (0..ops.len()).filter(|&op| ops[op].invoked <= end).collect();
        before.sort_unstable_by_key(|&op| ops[op].deadline());
        // Those still open are always in.
        let completed = before.partition_point(|&op| ops[op].deadline() <= end);
        let mut span = 16;
        loop {
            let members = before[completed.saturating_sub(span)..].to_vec();
            let part = Part::with_sources(ops, members);
            if span >= completed || self.is_violation(&part, part.members()) {
                return part;
            }
            span *= 2;
        }
    }

    /// Takes out spans and then single operations while what remains is a violation.
    fn reduce(&mut self, part: &Part<'a>) -> Vec<usize> {
        let mut kept = part.members().to_vec();
        let mut span = kept.len().div_ceil(2);
        while span > 0 && self.budget.comparisons > 0 {
            let mut removed = false;
            let mut end = kept.len();
            while end > 0 {
                let start = end.saturating_sub(span);
                let rest = [&kept[..start], &kept[end..]].concat();
                if self.is_violation(part, &rest) {
                    kept = rest;
                    removed = true;
                }
                end = start;
            }
            // Without one another one may be dispensable, so singles repeat.
            span = match span {
                1 if removed => 1,
                1 => 0,
                _ => span.div_ceil(2),
            };
        }
        kept
    }
}
