//! The search and the shortcuts of every model against one procedure that is obviously right.

mod containers;
mod limits;
mod models;
mod oracle;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::search::search;
use super::*;
use crate::linearizable::Budget;

/// How many random cases to try: so many thousands times `SPLITBRAIN_LONG`, if that is set, and a
/// tenth of them without optimisation.
fn cases(thousands: u64) -> u64 {
    let long = std::env::var("SPLITBRAIN_LONG").ok().and_then(|times| times.parse().ok());
    let cases = 1000 * thousands * long.unwrap_or(1);
    if cfg!(debug_assertions) { cases / 10 } else { cases }
}

/// The verdicts of a run of tests, which must not all be the same.
#[derive(Debug, Default)]
struct Tally {
    linearizable: u64,
    not: u64,
    shortcuts: [u64; 2],
}

/// Decides a history in every way there is.
fn compare<M: Model>(model: &M, ops: &[Timed<M::Op>], tally: &mut Tally) {
    let expected = oracle::linearizable(model, ops);
    let searched = search(model, ops, &Budget::default()).answer;
    assert_eq!(searched == Answer::Yes, expected, "searched {searched:?}: {ops:#?}");
    if let Some(shortcut) = model.shortcut(ops) {
        let linearizable = shortcut.answer == Answer::Yes;
        assert_eq!(linearizable, expected, "{}: {ops:#?}", shortcut.procedure);
        tally.shortcuts[usize::from(expected)] += 1;
    }
    let order = order(model, ops, &Budget::default());
    assert_eq!(order.is_some(), expected, "order {order:?}: {ops:#?}");
    if let Some(order) = order {
        accept(model, ops, &order);
        tally.linearizable += 1;
        return;
    }
    tally.not += 1;
    let decided = decide(model, ops, &Budget::default()).answer;
    let Answer::No { at } = decided else { panic!("decided {decided:?}: {ops:#?}") };
    for at in [at, None] {
        let witness = witness::minimal(model, ops, at, &Budget::default());
        let alone: Vec<_> = witness.iter().map(|op| ops[*op].clone()).collect();
        assert!(!oracle::linearizable(model, &alone), "{witness:?} of {ops:#?}");
        // What is left out must not have been what explained an answer; what was over before any of
        // the witness was may stay as it is where the model itself knows why it does not matter.
        let known = model.witness(ops, at).is_some();
        let begins = witness.iter().map(|op| ops[*op].deadline()).min().unwrap_or(0);
        let rest_is_open = |op: usize, timed: &Timed<M::Op>| Timed {
            returned: timed
                .returned
                .filter(|returned| witness.contains(&op) || known && *returned < begins),
            ..timed.clone()
        };
        let weaker: Vec<_> = (0..).zip(ops).map(|(op, timed)| rest_is_open(op, timed)).collect();
        assert!(!oracle::linearizable(model, &weaker), "unsound: {witness:?} of {ops:#?}");
    }
}

/// An order must be a run of the model, keep the order of time, and have every operation that
/// completed once.
fn accept<M: Model>(model: &M, ops: &[Timed<M::Op>], order: &[usize]) {
    let mut states = vec![model.init()];
    let mut latest = 0;
    for &at in order {
        let next = states.iter().flat_map(|state| model.step(state, &ops[at].op));
        states = next.collect();
        assert!(!states.is_empty(), "{at} of {order:?} has no such answer: {ops:#?}");
        latest = ops[at].invoked.max(latest);
        assert!(latest <= ops[at].deadline(), "{at} of {order:?} is too late: {ops:#?}");
    }
    let mut once = order.to_vec();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), order.len(), "{order:?}: {ops:#?}");
    let is_there = |at: &usize| ops[*at].returned.is_none() || once.binary_search(at).is_ok();
    assert!((0..ops.len()).all(|at| is_there(&at)), "{order:?} is not all: {ops:#?}");
}

/// Makes a history of one that need not be well-formed.
type Adjust<Op> = fn(Vec<Timed<Op>>) -> Vec<Timed<Op>>;

fn as_it_is<Op>(ops: Vec<Timed<Op>>) -> Vec<Timed<Op>> {
    ops
}

/// Every history of up to `longest` operations out of an alphabet, with their events in every
/// order, each with and without its completion.
fn exhaustive<M: Model>(model: &M, alphabet: &[M::Op], longest: usize, adjust: Adjust<M::Op>) {
    let mut tally = Tally::default();
    for orders in (1..=longest).map(orders) {
        for order in orders {
            let words = alphabet.len().pow(order.len() as u32);
            for word in 0..words {
                let letter = |at: usize| word / alphabet.len().pow(at as u32) % alphabet.len();
                let timed = |(at, (invoked, returned)): (usize, &(u64, Option<u64>))| Timed {
                    op: alphabet[letter(at)].clone(),
                    invoked: *invoked,
                    returned: *returned,
                };
                let ops = adjust(order.iter().enumerate().map(timed).collect());
                compare(model, &ops, &mut tally);
            }
        }
    }
    assert!(tally.linearizable > 100 && tally.not > 100, "{}: {tally:?}", model.name());
}

/// All orders of the events of so many operations, which are invoked in the order of their numbers.
fn orders(count: usize) -> Vec<Vec<(u64, Option<u64>)>> {
    let mut done = Vec::new();
    let mut partial = vec![(0, Vec::new())];
    while let Some((position, ops)) = partial.pop() {
        let ops: Vec<(u64, Option<u64>)> = ops;
        if ops.len() == count {
            done.push(ops.clone());
        } else {
            partial.push((position + 1, [&ops[..], &[(position, None)]].concat()));
        }
        for (at, (_, returned)) in ops.iter().enumerate() {
            // Where nothing is invoked any more the order of completions has no meaning.
            if returned.is_none() && ops.len() < count {
                let mut ops = ops.clone();
                ops[at].1 = Some(position);
                partial.push((position + 1, ops));
            }
        }
    }
    // Those still open have completed at the end or never.
    let ends = |ops: Vec<(u64, Option<u64>)>| {
        let open: Vec<usize> = (0..count).filter(|op| ops[*op].1.is_none()).collect();
        (0..1_u32 << open.len()).map(move |chosen| {
            let mut ops = ops.clone();
            for (bit, op) in open.iter().enumerate() {
                ops[*op].1 = (chosen >> bit & 1 == 1).then_some(u64::MAX - 1);
            }
            ops
        })
    };
    done.into_iter().flat_map(ends).collect()
}

/// Random histories of up to 12 operations: runs of the model with intervals around the moments of
/// effect, in some of which one operation is replaced by another.
fn random<M: Model>(model: &M, alphabet: &[M::Op], thousands: u64, adjust: Adjust<M::Op>) -> Tally {
    use rand::SeedableRng;
    let mut tally = Tally::default();
    for case in 0..cases(thousands) {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let ops = adjust(simulated(model, alphabet, &mut rng));
        compare(model, &ops, &mut tally);
    }
    let (least, all) = (tally.linearizable.min(tally.not), tally.linearizable + tally.not);
    assert!(least > all / 20, "{}: {tally:?}", model.name());
    tally
}

fn simulated<M: Model>(model: &M, alphabet: &[M::Op], rng: &mut ChaCha8Rng) -> Vec<Timed<M::Op>> {
    let mut state = model.init();
    let mut ops = Vec::new();
    let spread = [4, 20, 60][rng.random_range(0..3)];
    let open_percent = [0, 15, 40][rng.random_range(0..3)];
    for moment in 0..rng.random_range(2..10_u64) {
        let can: Vec<(usize, M::State)> = (0..alphabet.len())
            .flat_map(|op| model.step(&state, &alphabet[op]).into_iter().map(move |s| (op, s)))
            .collect();
        if can.is_empty() {
            break;
        }
        let (op, next) = can[rng.random_range(0..can.len())].clone();
        state = next;
        let effect = 100 + 10 * moment;
        let returned = effect + rng.random_range(0..=spread);
        ops.push(Timed {
            op: alphabet[op].clone(),
            invoked: effect - rng.random_range(0..=spread),
            returned: (rng.random_range(0..100) >= open_percent).then_some(returned),
        });
    }
    if rng.random_bool(0.5) {
        let at = rng.random_range(0..ops.len());
        ops[at].op = alphabet[rng.random_range(0..alphabet.len())].clone();
    }
    // Open operations that never took effect.
    for _ in 0..rng.random_range(0..=2) {
        let op = alphabet[rng.random_range(0..alphabet.len())].clone();
        ops.push(Timed { op, invoked: rng.random_range(40..200), returned: None });
    }
    ops.sort_by_key(|op| op.invoked);
    ops
}
