//! All orders, one after another: obviously right, and slow.

use super::*;

/// Whether some order of all completed and any of the open operations, each within its interval,
/// is a run of the model.
pub(super) fn linearizable<M: Model>(model: &M, ops: &[Timed<M::Op>]) -> bool {
    extend(model, ops, 0, &model.init())
}

fn extend<M: Model>(model: &M, ops: &[Timed<M::Op>], done: u32, state: &M::State) -> bool {
    let left = || (0..ops.len()).filter(|op| done >> op & 1 == 0);
    if left().all(|op| ops[op].returned.is_none()) {
        return true;
    }
    let first_deadline = left().map(|op| ops[op].deadline()).min().unwrap_or(u64::MAX);
    left().filter(|op| ops[*op].invoked <= first_deadline).any(|op| {
        let next = model.step(state, &ops[op].op);
        next.into_iter().any(|state| extend(model, ops, done | 1 << op, &state))
    })
}
