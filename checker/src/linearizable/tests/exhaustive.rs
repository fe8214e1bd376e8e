//! All small histories.

use super::oracle::explainable;
use super::procedures::agreed;
use super::*;

/// Calls `visit` with every history of `count` operations over `ValueId(0)`, which is the initial
/// one, and the values up to `largest`, with events in every order and every pattern of crashes.
fn all_histories(count: usize, largest: u32, visit: &mut impl FnMut(&[RegisterOp])) {
    let values = || (0..=largest).map(ValueId);
    let mut calls: Vec<Call> = values().map(Call::Read).chain(values().map(Call::Write)).collect();
    calls.extend(values().flat_map(|from| values().map(move |to| Call::Cas(from, to))));
    all_shapes(count, &mut Vec::new(), 0, &mut |shape: &[RegisterOp]| {
        let mut ops = shape.to_vec();
        for code in 0..calls.len().pow(count as u32) {
            let mut rest = code;
            for op in &mut ops {
                op.call = calls[rest % calls.len()];
                rest /= calls.len();
            }
            let reads_crash =
                |op: &RegisterOp| op.returned.is_none() && matches!(op.call, Call::Read(_));
            if !ops.iter().any(reads_crash) {
                visit(&ops);
            }
        }
    });
}

/// All orders of the events of `count` operations, which are numbered by their invocations.
fn all_shapes(
    count: usize,
    ops: &mut Vec<RegisterOp>,
    position: u64,
    visit: &mut impl FnMut(&[RegisterOp]),
) {
    const OPEN: Option<u64> = Some(u64::MAX);
    if ops.len() == count && ops.iter().all(|op| op.returned != OPEN) {
        visit(ops);
        return;
    }
    if ops.len() < count {
        for returned in [OPEN, None] {
            ops.push(RegisterOp { call: Call::Read(ValueId(0)), invoked: position, returned });
            all_shapes(count, ops, position + 1, visit);
            ops.pop();
        }
    }
    for at in 0..ops.len() {
        if ops[at].returned == OPEN {
            ops[at].returned = Some(position);
            all_shapes(count, ops, position + 1, visit);
            ops[at].returned = OPEN;
        }
    }
}

fn check_all(count: usize, largest: u32) {
    let (mut histories, mut valid) = (0_u64, 0_u64);
    all_histories(count, largest, &mut |ops| {
        let verdict = explainable(ops);
        assert_eq!(agreed(ops), verdict, "{ops:?}");
        histories += 1;
        valid += u64::from(verdict);
    });
    eprintln!("{count} operations, values up to {largest}: {histories} histories, {valid} valid");
    assert!(valid > 0 && valid < histories);
}

#[test]
fn all_histories_of_two_operations() {
    check_all(1, 3);
    check_all(2, 3);
}

#[test]
fn all_histories_of_three_operations() {
    check_all(3, if cfg!(debug_assertions) { 1 } else { 2 });
}

#[test]
fn all_histories_of_four_operations() {
    if cfg!(debug_assertions) {
        eprintln!(
            "all histories of four operations: only with optimisation (cargo test --release)"
        );
        return;
    }
    check_all(4, 1);
    if std::env::var_os("SPLITBRAIN_LONG").is_some() {
        check_all(4, 2);
    }
}
