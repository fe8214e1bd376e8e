//! The smallest part of a history that proves a violation, by delta debugging (Zeller and
//! Hildebrandt 2002).
//!
//! Leaving out an operation must never *make* a violation: an answer without its cause proves
//! nothing. So only what cannot do that is left out: what was invoked later, reads, all operations
//! about one [element](Model::element), and what is [needless](Model::needless) for the answers
//! that are left.

use rustc_hash::FxHashMap;

use super::{Answer, Model, Timed, decide};
use crate::linearizable::Budget;
use crate::reduce::reduce;

/// Comparisons that are always worth trying.
const GLANCE: u64 = 1_000_000;

/// Indices, ascending, of a sub-history that is a violation too. `at` is the operation whose
/// completion shows it, if that is known.
pub(super) fn minimal<M: Model>(
    model: &M,
    ops: &[Timed<M::Op>],
    at: Option<usize>,
    budget: &Budget,
) -> Vec<usize> {
    if let Some(known) = model.witness(ops, at) {
        return known;
    }
    let end = at.map_or(u64::MAX, |at| ops[at].deadline());
    let budget = Budget { comparisons: budget.comparisons / 4, ..*budget };
    let mut shrink = Shrink { model, ops, end, budget };
    let all: Vec<usize> = (0..ops.len()).filter(|op| ops[*op].invoked <= end).collect();
    let (mut units, mut fixed) = (Vec::new(), Vec::new());
    let mut by_element: FxHashMap<_, usize> = FxHashMap::default();
    for op in all {
        if let Some(element) = model.element(&ops[op].op) {
            let unit = *by_element.entry(element).or_insert_with(|| {
                units.push(Vec::new());
                units.len() - 1
            });
            units[unit].push(op);
        } else if model.is_read(&ops[op].op) {
            units.push(vec![op]);
        } else {
            fixed.push(op);
        }
    }
    let kept = shrink.reduce(units, &fixed);
    let needless = shrink.needless(&kept);
    let (units, fixed): (Vec<usize>, Vec<usize>) =
        kept.into_iter().partition(|op| needless.contains(op));
    shrink.reduce(units.into_iter().map(|op| vec![op]).collect(), &fixed)
}

struct Shrink<'a, M: Model> {
    model: &'a M,
    ops: &'a [Timed<M::Op>],
    /// What completes later is not known to.
    end: u64,
    /// What is left of the budget.
    budget: Budget,
}

impl<M: Model> Shrink<'_, M> {
    fn part(&self, kept: &[usize]) -> Vec<Timed<M::Op>> {
        let cut = |op: &usize| {
            let op = &self.ops[*op];
            let returned = op.returned.filter(|returned| *returned <= self.end);
            Timed { returned, ..op.clone() }
        };
        kept.iter().map(cut).collect()
    }

    fn needless(&self, kept: &[usize]) -> Vec<usize> {
        let part = self.part(kept);
        let is_write = |at: &usize| !self.model.is_read(&part[*at].op);
        let writes: Vec<usize> = (0..part.len()).filter(is_write).collect();
        self.model.needless(&part, &writes).into_iter().map(|at| kept[at]).collect()
    }

    fn is_violation(&mut self, kept: &[usize]) -> bool {
        // One hard case must not use up what is there for all.
        let share = self.budget.comparisons.min(GLANCE + self.budget.comparisons / 64);
        let budget = Budget { comparisons: share, ..self.budget };
        let decided = decide(self.model, &self.part(kept), &budget);
        // Other work than comparing is charged by the operation.
        let cost = decided.comparisons + 20 * kept.len() as u64;
        self.budget.comparisons = self.budget.comparisons.saturating_sub(cost);
        matches!(decided.answer, Answer::No { .. })
    }

    /// Takes out units while what remains is a violation.
    fn reduce(&mut self, units: Vec<Vec<usize>>, fixed: &[usize]) -> Vec<usize> {
        let with = |units: &[Vec<usize>]| {
            let mut kept = fixed.to_vec();
            kept.extend(units.iter().flatten());
            kept.sort_unstable();
            kept
        };
        with(&reduce(units, |units| {
            (self.budget.comparisons > 0).then(|| self.is_violation(&with(units)))
        }))
    }
}
