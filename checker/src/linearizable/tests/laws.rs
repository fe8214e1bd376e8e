//! Changes of a history that must not change its verdict, or only one way.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::random::{Values, history};
use super::*;

fn is_valid(initial: ValueId, ops: &[RegisterOp]) -> bool {
    match check_register(initial, ops, &Budget::default()) {
        Outcome::Linearizable => true,
        Outcome::NotLinearizable { .. } => false,
        Outcome::Exhausted { .. } => panic!("{ops:?}: the budget ended"),
    }
}

/// Longer than an oracle could decide.
fn any_history(random: &mut ChaCha8Rng) -> Vec<RegisterOp> {
    let values = match random.random_range(0..4) {
        0 => Values::Unique { swaps: false },
        1 => Values::Unique { swaps: true },
        _ => Values::Any(random.random_range(1..6)),
    };
    history(random, 30, values)
}

fn for_any_history(seed: u64, mut law: impl FnMut(&mut ChaCha8Rng, &[RegisterOp], bool)) {
    let mut random = seeded(seed);
    for _ in 0..cases(20) {
        let ops = any_history(&mut random);
        let valid = is_valid(ValueId(0), &ops);
        law(&mut random, &ops, valid);
    }
}

#[test]
fn shifting_time_changes_nothing() {
    for_any_history(21, |random, ops, valid| {
        let by = random.random_range(1..1 << 40);
        let mut shifted = ops.to_vec();
        for op in &mut shifted {
            op.invoked += by;
            op.returned = op.returned.map(|at| at + by);
        }
        assert_eq!(is_valid(ValueId(0), &shifted), valid, "{ops:?}");
    });
}

#[test]
fn renaming_values_changes_nothing() {
    for_any_history(22, |random, ops, valid| {
        let factor = random.random_range(1..1 << 25);
        let offset = random.random_range(0..1 << 10);
        let name = |value: ValueId| ValueId(u32::MAX - offset - value.0 * factor);
        let mut renamed = ops.to_vec();
        for op in &mut renamed {
            op.call = match op.call {
                Call::Read(value) => Call::Read(name(value)),
                Call::Write(value) => Call::Write(name(value)),
                Call::Cas(from, to) => Call::Cas(name(from), name(to)),
            };
        }
        assert_eq!(is_valid(name(ValueId(0)), &renamed), valid, "{ops:?}");
    });
}

#[test]
fn the_order_of_the_list_means_nothing() {
    for_any_history(23, |_, ops, valid| {
        let reversed: Vec<RegisterOp> = ops.iter().rev().copied().collect();
        assert_eq!(is_valid(ValueId(0), &reversed), valid, "{ops:?}");
    });
}

#[test]
fn a_crashed_write_of_a_fresh_value_changes_nothing() {
    for_any_history(24, |random, ops, valid| {
        let call = match random.random_bool(0.5) {
            true => Call::Write(ValueId(1000)),
            false => Call::Cas(ValueId(random.random_range(0..3)), ValueId(1000)),
        };
        let invoked = random.random_range(0..2 * ops.len()) as u64;
        let longer = [ops, &[RegisterOp { call, invoked, returned: None }]].concat();
        assert_eq!(is_valid(ValueId(0), &longer), valid, "{ops:?}");
    });
}

#[test]
fn knowing_less_never_makes_a_violation() {
    for_any_history(25, |random, ops, valid| {
        let mut less = ops.to_vec();
        let at = random.random_range(0..ops.len());
        match ops[at].call {
            // An unanswered read says nothing.
            Call::Read(_) => drop(less.remove(at)),
            Call::Write(_) | Call::Cas(..) => less[at].returned = None,
        }
        assert!(!valid || is_valid(ValueId(0), &less), "{ops:?}: {at}");
    });
}

#[test]
fn an_earlier_answer_never_repairs_a_violation() {
    for_any_history(26, |random, ops, valid| {
        let mut narrower = ops.to_vec();
        let op = &mut narrower[random.random_range(0..ops.len())];
        op.returned = Some(op.invoked);
        assert!(valid || !is_valid(ValueId(0), &narrower), "{ops:?}");
    });
}
