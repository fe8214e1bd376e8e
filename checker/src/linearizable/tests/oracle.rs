//! Linearizability by trying all orders, for a dozen operations.

use rustc_hash::FxHashSet;

use super::*;

const INITIAL: ValueId = ValueId(0);

/// Whether some order of `ops` explains every answer, starting from `ValueId(0)`.
pub fn explainable(ops: &[RegisterOp]) -> bool {
    assert!(ops.len() <= 20);
    explainable_from(ops, 0, INITIAL, &mut FxHashSet::default())
}

/// Goes on after the operations in the mask `done`. `refuted` only saves time.
fn explainable_from(
    ops: &[RegisterOp],
    done: u32,
    state: ValueId,
    refuted: &mut FxHashSet<(u32, ValueId)>,
) -> bool {
    let remaining = |&op: &usize| done >> op & 1 == 0;
    let is_next = |&op: &usize| {
        let precedes = |other: usize| ops[other].returned.is_some_and(|at| at < ops[op].invoked);
        !(0..ops.len()).filter(remaining).any(precedes)
    };
    if (0..ops.len()).filter(remaining).all(|op| ops[op].returned.is_none()) {
        return true;
    }
    if refuted.contains(&(done, state)) {
        return false;
    }
    let found = (0..ops.len()).filter(remaining).filter(is_next).any(|op| {
        let after = match ops[op].call {
            Call::Read(value) => (value == state).then_some(state),
            Call::Write(value) => Some(value),
            Call::Cas(from, to) => (from == state).then_some(to),
        };
        after.is_some_and(|after| explainable_from(ops, done | 1 << op, after, refuted))
    });
    if !found {
        refuted.insert((done, state));
    }
    found
}

#[test]
fn tries_all_orders() {
    let op = |call, invoked, returned| RegisterOp { call, invoked, returned };
    let read = |value| Call::Read(ValueId(value));
    let write = |value| Call::Write(ValueId(value));
    let cas = |from, to| Call::Cas(ValueId(from), ValueId(to));
    assert!(explainable(&[]));
    assert!(explainable(&[op(read(0), 0, Some(1))]));
    assert!(!explainable(&[op(read(1), 0, Some(1))]));
    assert!(explainable(&[op(write(1), 0, Some(3)), op(read(1), 1, Some(2))]));
    assert!(explainable(&[op(write(1), 0, Some(3)), op(read(0), 1, Some(2))]));
    assert!(!explainable(&[op(write(1), 0, Some(1)), op(read(0), 2, Some(3))]));
    // A crashed write may take effect late or never.
    assert!(explainable(&[
        op(write(1), 0, None),
        op(read(0), 1, Some(2)),
        op(read(1), 3, Some(4))
    ]));
    assert!(!explainable(&[op(read(1), 0, Some(1)), op(write(1), 2, None)]));
    // Of two equal compare-and-sets only one can find the value.
    assert!(!explainable(&[op(cas(0, 1), 0, Some(2)), op(cas(0, 1), 1, Some(3))]));
    assert!(explainable(&[op(cas(0, 1), 0, Some(2)), op(cas(1, 0), 1, Some(3))]));
}
