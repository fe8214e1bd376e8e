//! Answers that nothing can have caused: the violations that most broken systems show, found in
//! one pass and whatever the search would cost.

use super::super::RegisterOp;
use super::{Event, Kind, Problem};

/// An answer without a possible cause.
pub(super) struct Unfounded {
    pub(super) reader: usize,
    /// The operation that certainly overwrote all that installed the value before.
    pub(super) overwritten_by: Option<usize>,
}

/// The installing operation, among those completed so far, that was invoked last: what completed
/// before its invocation is overwritten.
#[derive(Clone, Copy)]
struct Latest {
    by: Option<usize>,
    /// Its invocation, counted from 1; 0 if there is none.
    invoked: u64,
}

/// The first answer in the order of completions that no operation can have caused.
pub(super) fn find(problem: &Problem<'_>) -> Option<Unfounded> {
    let completed = |op: &RegisterOp| op.deadline().saturating_add(1);
    let mut latest = Latest { by: None, invoked: 0 };
    let mut latest_at_invocation = vec![latest; problem.ops.len()];
    // By value, the last completion among the operations that installed it and were invoked so far,
    // counted from 1. The initial value was there before.
    let mut installed_until = vec![None; problem.survey.values()];
    installed_until[problem.initial.index()] = Some(0);
    for &Event { op: index, kind, .. } in &problem.events {
        let index = index as usize;
        let op = &problem.ops[index];
        match kind {
            Kind::Invocation { .. } => {
                latest_at_invocation[index] = latest;
                if let Some(value) = op.call.installs() {
                    let until = &mut installed_until[value.index()];
                    *until = Some(completed(op)).max(*until);
                }
            }
            Kind::Completion(_) => {
                let before = latest_at_invocation[index];
                let founded = |value| installed_until[value] >= Some(before.invoked);
                if op.call.expects().is_some_and(|value| !founded(value.index())) {
                    return Some(Unfounded { reader: index, overwritten_by: before.by });
                }
                if op.call.installs().is_some() && op.invoked + 1 > latest.invoked {
                    latest = Latest { by: Some(index), invoked: op.invoked + 1 };
                }
            }
        }
    }
    None
}
