//! Large, wide and hopeless histories: an answer, or a limit that is named.

use super::simulated::Simulation;
use super::*;

/// `count` operations that are all open at once, completing in the order of their invocations.
fn all_open(count: u64, call: impl Fn(u64) -> Call) -> Vec<RegisterOp> {
    let op = |at| RegisterOp { call: call(at), invoked: at, returned: Some(2 * count + at) };
    (0..count).map(op).collect()
}

/// Writes of two values and reads of both.
fn two_values(at: u64) -> Call {
    let value = ValueId(1 + (at / 2 % 2) as u32);
    if at.is_multiple_of(2) { Call::Write(value) } else { Call::Read(value) }
}

#[test]
fn ten_thousand_open_operations_are_decided() {
    let count = if cfg!(debug_assertions) { 1_500 } else { 10_000 };
    let mut ops = all_open(count, two_values);
    assert!(matches!(procedure(ValueId(0), &ops), Procedure::Search(_)));
    assert_eq!(check_register(ValueId(0), &ops, &Budget::default()), Outcome::Linearizable);
    let last = RegisterOp {
        call: Call::Read(ValueId(0)),
        invoked: 3 * count,
        returned: Some(3 * count + 1),
    };
    ops.push(last);
    let outcome = check_register(ValueId(0), &ops, &Budget::default());
    let Outcome::NotLinearizable { witness } = outcome else { panic!("{outcome:?}") };
    assert_eq!(witness.len(), 2, "a write and the read of the value before it");
}

#[test]
fn more_open_operations_than_fit_are_refused() {
    let ops = all_open(20_000, two_values);
    let outcome = check_register(ValueId(0), &ops, &Budget::default());
    let Outcome::Exhausted { limit, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(limit, Limit::OpenOperations);
    // Zones do not mind.
    let unique = all_open(20_000, |at| match at % 2 {
        0 => Call::Write(ValueId(1 + at as u32)),
        _ => Call::Read(ValueId(at as u32)),
    });
    assert_eq!(check_register(ValueId(0), &unique, &Budget::default()), Outcome::Linearizable);
}

#[test]
fn a_budget_is_kept_and_its_end_is_told() {
    let simulation =
        Simulation { operations: 500, clients: 30, values: Some(5), crashes: 0.0, seed: 1 };
    let ops = simulation.run().operations;
    let (outcome, effort) = check_register_measured(ValueId(0), &ops, &Budget::default());
    assert_eq!(outcome, Outcome::Linearizable);

    let comparisons = effort.comparisons / 2;
    let budget = Budget { comparisons, ..Budget::default() };
    let (outcome, effort) = check_register_measured(ValueId(0), &ops, &budget);
    let Outcome::Exhausted { explored, passed, limit } = outcome else { panic!("{outcome:?}") };
    assert_eq!(limit, Limit::Comparisons);
    assert_eq!(explored, effort.explored);
    assert!(0 < passed && passed < ops.len());
    assert!(effort.comparisons < comparisons + 10_000);

    let budget = Budget { memory_bytes: 1000, ..Budget::default() };
    let outcome = check_register(ValueId(0), &ops, &budget);
    assert!(matches!(outcome, Outcome::Exhausted { limit: Limit::Memory, .. }), "{outcome:?}");
}

#[test]
fn a_hundred_clients_and_many_crashes() {
    for (clients, values, crashes) in [(100, 1000, 0.01), (70, 50, 0.01), (5, 3, 0.05)] {
        let operations = 1000;
        let values = Some(values);
        let ops = Simulation { operations, clients, values, crashes, seed: 1 }.run().operations;
        assert!(matches!(procedure(ValueId(0), &ops), Procedure::Search(_)));
        assert_eq!(check_register(ValueId(0), &ops, &Budget::default()), Outcome::Linearizable);
    }
}

#[test]
fn an_empty_history_is_linearizable() {
    assert_eq!(check_register(ValueId(3), &[], &Budget::default()), Outcome::Linearizable);
}
