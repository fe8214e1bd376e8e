//! Random histories of up to a dozen operations.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::oracle::explainable;
use super::procedures::agreed;
use super::*;

/// What values a random history writes.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Any of so many besides the initial one, which may be written too.
    Any(u32),
    /// Each once, with compare-and-set if `swaps`.
    Unique { swaps: bool },
}

/// A random history of up to `most` operations. Half of them start from a hidden order that
/// explains all answers, of which then some are changed in half of the cases.
pub fn history(random: &mut ChaCha8Rng, most: usize, values: Values) -> Vec<RegisterOp> {
    let mut ops = shape(random, most);
    let crashes = random.random_range(0..4) as f64 / 8.0;
    let mut unique = 0;
    for op in &mut ops {
        op.call = call(random, values, &mut unique);
        if !matches!(op.call, Call::Read(_)) && random.random_bool(crashes) {
            op.returned = None;
        }
    }
    if random.random_bool(0.5) {
        explain(random, &mut ops);
        if random.random_bool(0.5) {
            let at = random.random_range(0..ops.len());
            if !matches!(ops[at].call, Call::Write(_)) {
                ops[at].call = call(random, values, &mut unique);
            }
        }
    }
    ops.retain(|op| op.returned.is_some() || !matches!(op.call, Call::Read(_)));
    ops
}

/// Intervals, more or less concurrent.
fn shape(random: &mut ChaCha8Rng, most: usize) -> Vec<RegisterOp> {
    let count = random.random_range(2..=most);
    let eagerness = random.random_range(2..9) as f64 / 10.0;
    let mut ops: Vec<RegisterOp> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut position = 0;
    while ops.len() < count || !open.is_empty() {
        if ops.len() < count && (open.is_empty() || random.random_bool(eagerness)) {
            open.push(ops.len());
            let call = Call::Read(ValueId(0));
            ops.push(RegisterOp { call, invoked: position, returned: None });
        } else {
            let op = open.swap_remove(random.random_range(0..open.len()));
            ops[op].returned = Some(position);
        }
        // Now and then two events share a position.
        position += u64::from(!random.random_ratio(1, 20));
    }
    ops
}

fn call(random: &mut ChaCha8Rng, values: Values, unique: &mut u32) -> Call {
    match values {
        Values::Any(largest) => {
            let mut any = || ValueId(random.random_range(0..=largest));
            let (from, to) = (any(), any());
            match random.random_range(0..3) {
                0 => Call::Read(from),
                1 => Call::Write(to),
                _ => Call::Cas(from, to),
            }
        }
        Values::Unique { swaps } => {
            let from = ValueId(random.random_range(0..=*unique));
            match random.random_range(0..if swaps { 4 } else { 2 }) {
                0 => Call::Read(ValueId(random.random_range(0..=*unique + 1))),
                1 => {
                    *unique += 1;
                    Call::Write(ValueId(*unique))
                }
                2 => Call::Cas(from, from),
                _ => {
                    *unique += 1;
                    Call::Cas(from, ValueId(*unique))
                }
            }
        }
    }
}

/// Lets every operation take effect at a random moment and sets all answers accordingly.
fn explain(random: &mut ChaCha8Rng, ops: &mut [RegisterOp]) {
    let last = ops.iter().filter_map(|op| op.returned).max().unwrap_or(0) + 1;
    let mut moments: Vec<(f64, usize)> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        let end = op.returned.unwrap_or(last).max(op.invoked);
        let moment = op.invoked as f64 + random.random::<f64>() * (end - op.invoked) as f64;
        if op.returned.is_some() || random.random_bool(0.7) {
            moments.push((moment, at));
        }
    }
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut state = ValueId(0);
    for (_, at) in moments {
        let call = &mut ops[at].call;
        match *call {
            Call::Read(_) => *call = Call::Read(state),
            Call::Cas(_, to) => *call = Call::Cas(state, to),
            Call::Write(_) => {}
        }
        state = call.installs().unwrap_or(state);
    }
}

fn compare(cases: u64, most: usize, seed: u64, values: impl Fn(&mut ChaCha8Rng) -> Values) {
    let mut random = seeded(seed);
    let mut valid = 0;
    for _ in 0..cases {
        let values = values(&mut random);
        let ops = history(&mut random, most, values);
        let verdict = explainable(&ops);
        assert_eq!(agreed(&ops), verdict, "{ops:?}");
        valid += u64::from(verdict);
    }
    eprintln!("{cases} random histories of up to {most} operations: {valid} valid");
    assert!(valid > cases / 10 && valid < cases * 9 / 10);
}

#[test]
fn few_values() {
    compare(cases(200), 8, 1, |random| Values::Any(random.random_range(0..4)));
    compare(cases(100), 12, 2, |random| Values::Any(random.random_range(1..5)));
}

#[test]
fn unique_values() {
    compare(cases(100), 12, 3, |_| Values::Unique { swaps: false });
}

#[test]
fn unique_values_in_chains() {
    compare(cases(100), 8, 4, |_| Values::Unique { swaps: true });
    compare(cases(100), 12, 5, |_| Values::Unique { swaps: true });
}
