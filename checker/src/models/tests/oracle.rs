//! All orders, one after another: obviously right, and slow.

use rustc_hash::FxHashSet;

use super::*;

/// Whether some order of all completed and any of the open operations, each within its interval,
/// is a run of the model.
pub(super) fn linearizable<M: Model>(model: &M, ops: &[Timed<M::Op>]) -> bool {
    extend(model, ops, &mut FxHashSet::default(), 0, model.init())
}

/// Whether a run that has `done` some operations, and in vain was in the states of `tried`, goes on.
fn extend<M: Model>(
    model: &M,
    ops: &[Timed<M::Op>],
    tried: &mut FxHashSet<(u32, M::State)>,
    done: u32,
    state: M::State,
) -> bool {
    let left = || (0..ops.len()).filter(|op| done >> op & 1 == 0);
    if left().all(|op| ops[op].returned.is_none()) {
        return true;
    }
    if tried.contains(&(done, state.clone())) {
        return false;
    }
    let first_deadline = left().map(|op| ops[op].deadline()).min().unwrap_or(u64::MAX);
    let goes_on = left().filter(|op| ops[*op].invoked <= first_deadline).any(|op| {
        let next = model.step(&state, &ops[op].op);
        next.into_iter().any(|state| extend(model, ops, tried, done | 1 << op, state))
    });
    tried.insert((done, state));
    goes_on
}
