//! Orders that explain a history, looked at by a verifier that knows nothing but the definition.

use rand::RngExt;

use super::oracle::explainable;
use super::random::{Values, history};
use super::simulated::Simulation;
use super::*;

/// Panics unless the order has every operation of known outcome once, none before one that it
/// followed in time, and each finds what those before it leave.
fn assert_explains(order: &[usize], ops: &[RegisterOp]) {
    let mut seen = vec![false; ops.len()];
    let mut state = ValueId(0);
    let mut latest_invocation = 0;
    for &at in order {
        assert!(!std::mem::replace(&mut seen[at], true), "{at} comes twice");
        let op = ops[at];
        assert!(op.deadline() >= latest_invocation, "{at} completed before one ahead of it began");
        latest_invocation = latest_invocation.max(op.invoked);
        state = match op.call {
            Call::Read(value) => {
                assert_eq!(value, state, "{at} reads");
                state
            }
            Call::Write(value) => value,
            Call::Cas(from, to) => {
                assert_eq!(from, state, "{at} replaces");
                to
            }
        };
    }
    let left_out = (0..ops.len()).find(|op| !seen[*op] && ops[*op].returned.is_some());
    assert_eq!(left_out, None, "an operation that happened is left out");
}

#[test]
fn exist_for_linearizable_histories_and_no_others() {
    let mut random = seeded(31);
    let mut orders = 0;
    for case in 0..cases(60) {
        let values = match case % 4 {
            0 => Values::Unique { swaps: false },
            1 => Values::Unique { swaps: true },
            _ => Values::Any(random.random_range(1..5)),
        };
        let ops = history(&mut random, 12, values);
        match order(ValueId(0), &ops, &Budget::default()) {
            Some(order) => assert_explains(&order, &ops),
            None => assert!(!explainable(&ops), "{ops:?}"),
        }
        orders += u64::from(explainable(&ops));
    }
    eprintln!("{} random histories: {orders} orders", cases(60));
    assert!(orders > 0);
}

#[test]
fn of_long_histories_explain_them() {
    for (values, clients, crashes) in
        [(None, 5, 0.01), (None, 50, 0.01), (Some(5), 10, 0.0), (Some(50), 10, 0.0)]
    {
        let operations = if cfg!(debug_assertions) { 500 } else { 5_000 };
        let ops = Simulation { operations, clients, values, crashes, seed: 1 }.run().operations;
        let order = order(ValueId(0), &ops, &Budget::default());
        let order = order.unwrap_or_else(|| panic!("{values:?} values, {clients} clients"));
        assert_explains(&order, &ops);
    }
}

#[test]
#[should_panic(expected = "reads")]
fn the_verifier_finds_a_wrong_order() {
    let op = |call, invoked, returned| RegisterOp { call, invoked, returned: Some(returned) };
    let ops = [op(Call::Write(ValueId(1)), 0, 5), op(Call::Read(ValueId(1)), 1, 4)];
    assert_eq!(order(ValueId(0), &ops, &Budget::default()), Some(vec![0, 1]));
    assert_explains(&[1, 0], &ops);
}
