//! A witness is a violation on its own, and nothing in it can be spared.

use rand::RngExt;

use super::oracle::explainable;
use super::random::{Values, history};
use super::simulated::Simulation;
use super::*;

fn witness(ops: &[RegisterOp]) -> Option<Vec<usize>> {
    match check_register(ValueId(0), ops, &Budget::default()) {
        Outcome::Linearizable => None,
        Outcome::NotLinearizable { witness } => Some(witness),
        Outcome::Exhausted { .. } => panic!("{ops:?}: the budget ended"),
    }
}

/// Panics unless `witness` is a minimal violation.
fn assert_minimal(ops: &[RegisterOp], witness: &[usize]) {
    assert!(witness.is_sorted_by(|a, b| a < b));
    let alone: Vec<RegisterOp> = witness.iter().map(|&op| ops[op]).collect();
    assert!(!explainable(&alone), "{ops:?}: {witness:?}");
    assert!(!explainable(&weakened(ops, witness)), "{ops:?}: {witness:?}");
    for spared in witness {
        let rest: Vec<usize> = witness.iter().copied().filter(|op| op != spared).collect();
        assert!(explainable(&weakened(ops, &rest)), "{ops:?}: {witness:?} without {spared}");
    }
}

#[test]
fn of_random_histories_are_minimal() {
    let mut random = seeded(11);
    for case in 0..cases(60) {
        let values = match case % 4 {
            0 => Values::Unique { swaps: false },
            1 => Values::Unique { swaps: true },
            _ => Values::Any(random.random_range(1..4)),
        };
        let ops = history(&mut random, 12, values);
        if let Some(witness) = witness(&ops) {
            assert_minimal(&ops, &witness);
        }
    }
}

#[test]
fn weakening_a_part_never_makes_a_violation() {
    let mut random = seeded(12);
    let mut weakenings = 0;
    for _ in 0..cases(60) {
        let values = Values::Any(random.random_range(1..4));
        let ops = history(&mut random, 9, values);
        if !explainable(&ops) {
            continue;
        }
        for _ in 0..4 {
            let kept: Vec<usize> = (0..ops.len()).filter(|_| random.random_bool(0.6)).collect();
            let weakened = weakened(&ops, &kept);
            assert!(explainable(&weakened), "{ops:?}: {kept:?}");
            weakenings += u64::from(weakened.len() < kept.len());
        }
    }
    assert!(weakenings > 0);
}

#[test]
fn of_long_histories_are_short() {
    for (values, clients) in [(None, 5), (None, 50), (Some(5), 5), (Some(5), 10)] {
        for (seed, at) in [(1, 0.1), (2, 0.5), (3, 0.9)] {
            let operations = 2000;
            // Crashed writes of few values would leave none of them stale for certain.
            let crashes = if values.is_none() { 0.01 } else { 0.0 };
            let simulation = Simulation { operations, clients, values, crashes, seed };
            let ops = simulation.run().operations;
            assert_eq!(witness(&ops), None);
            let ops = simulation.run().with_stale_read(at).operations;
            let witness = witness(&ops).expect("a stale read is a violation");
            eprintln!("{values:?} values, {clients} clients: {} operations", witness.len());
            assert!(witness.len() <= 20, "{witness:?}");
            assert_minimal(&ops, &witness);
        }
    }
}

#[test]
fn name_what_a_person_would_name() {
    let op = |call, invoked, returned| RegisterOp { call, invoked, returned: Some(returned) };
    let read = |value| Call::Read(ValueId(value));
    let write = |value| Call::Write(ValueId(value));
    let cas = |from, to| Call::Cas(ValueId(from), ValueId(to));
    let phantom = [op(write(1), 0, 1), op(read(1), 2, 3), op(read(9), 4, 5), op(read(1), 6, 7)];
    assert_eq!(witness(&phantom), Some(vec![2]));
    let future = [op(write(1), 0, 1), op(read(2), 2, 3), op(write(2), 4, 5)];
    assert_eq!(witness(&future), Some(vec![1, 2]));
    let stale = [op(write(1), 0, 1), op(read(1), 2, 3), op(write(2), 4, 5), op(read(1), 6, 7)];
    assert_eq!(witness(&stale), Some(vec![0, 2, 3]));
    let two_winners = [
        op(write(1), 0, 1),
        op(cas(1, 2), 2, 3),
        op(cas(2, 3), 4, 7),
        op(cas(2, 4), 5, 8),
        op(read(4), 9, 10),
    ];
    assert_eq!(witness(&two_winners), Some(vec![1, 2, 3]));
}
