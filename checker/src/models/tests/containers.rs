//! Queues and stacks.

use rand::SeedableRng;
use rand::seq::SliceRandom;

use super::*;
use elements::Element;
use elements::Op::{Empty, Put, Take, TakeUnknown};

fn put(element: i64) -> elements::Op {
    Put(Element(element))
}

fn take(element: i64) -> elements::Op {
    Take(Element(element))
}

/// What was not answered cannot say what it took.
fn unanswered(mut ops: Vec<Timed<elements::Op>>) -> Vec<Timed<elements::Op>> {
    for op in &mut ops {
        match (op.returned, op.op) {
            (_, Put(_)) => {}
            (None, _) => op.op = TakeUnknown,
            (Some(_), TakeUnknown) => op.op = Empty,
            (Some(_), _) => {}
        }
    }
    ops
}

/// Every history of up to so many operations on two elements, each put in once.
fn every_history<M: Model<Op = elements::Op>>(model: &M, longest: usize, tally: &mut Tally) {
    let letters = [put(1), put(2), take(1), take(2), Empty];
    for count in 1..=longest {
        let words: Vec<Vec<elements::Op>> = (0..letters.len().pow(count as u32))
            .map(|word| {
                let letter = |at: usize| letters[word / letters.len().pow(at as u32) % 5];
                (0..count).map(letter).collect::<Vec<_>>()
            })
            .filter(|word| {
                letters[..2].iter().all(|put| word.iter().filter(|op| *op == put).count() <= 1)
            })
            .collect();
        for order in orders(count) {
            for word in &words {
                let timed = word.iter().zip(&order);
                let timed =
                    timed.map(|(op, &(invoked, returned))| Timed { op: *op, invoked, returned });
                compare(model, &unanswered(timed.collect()), tally);
            }
        }
    }
}

/// A run of up to 10 operations on elements that are each put in once; in some, what two of the
/// operations took is exchanged, or one of them found nothing.
fn run<M: Model<Op = elements::Op>>(model: &M, rng: &mut ChaCha8Rng) -> Vec<Timed<elements::Op>> {
    let mut fresh: Vec<i64> = (0..12).collect();
    fresh.shuffle(rng);
    let mut state = model.init();
    let mut ops: Vec<Timed<elements::Op>> = Vec::new();
    // The more there is at once, the less in all: the slow procedures count orders.
    let (spread, longest) = [(4, 10), (20, 8), (60, 6)][rng.random_range(0..3)];
    let open_percent = [0, 10, 40][rng.random_range(0..3)];
    let put_percent = [40, 60][rng.random_range(0..2)];
    for moment in 0..rng.random_range(2..=longest) {
        let (mut op, next) = if rng.random_range(0..100) < put_percent {
            let op = put(fresh.pop().expect("one for each"));
            (op, model.step(&state, &op).into_iter().next())
        } else {
            let takes = (0..12).map(take).chain([Empty]);
            let mut can = takes.filter_map(|op| {
                model.step(&state, &op).into_iter().next().map(|next| (op, Some(next)))
            });
            let choice = can.by_ref().next().expect("empty or not");
            if rng.random_bool(0.3) { can.last().unwrap_or(choice) } else { choice }
        };
        state = next.expect("a step");
        let effect = 100 + 10 * moment;
        let is_open = rng.random_range(0..100) < open_percent;
        if is_open && !matches!(op, Put(_)) {
            op = TakeUnknown;
        }
        let returned = effect + rng.random_range(0..=spread);
        let invoked = effect - rng.random_range(0..=spread);
        ops.push(Timed { op, invoked, returned: (!is_open).then_some(returned) });
    }
    if rng.random_bool(0.6) {
        let takes: Vec<usize> = (0..ops.len())
            .filter(|at| ops[*at].returned.is_some() && !matches!(ops[*at].op, Put(_)))
            .collect();
        if let [.., one, other] = takes[..] {
            let swapped = (ops[one].op, ops[other].op);
            (ops[other].op, ops[one].op) = swapped;
        }
        if let (true, Some(at)) = (rng.random_bool(0.2), takes.first()) {
            ops[*at].op = Empty;
        }
    }
    for _ in 0..rng.random_range(0..=2) {
        ops.push(Timed { op: TakeUnknown, invoked: rng.random_range(40..200), returned: None });
    }
    ops.sort_by_key(|op| op.invoked);
    ops
}

/// Compares a container with all orders, by every short history and by random ones; so many per
/// cent at least of the latter must be decided without a search.
fn container<M: Model<Op = elements::Op>>(model: &M, decided_percent: u64) {
    let mut tally = Tally::default();
    every_history(model, if cfg!(debug_assertions) { 3 } else { 4 }, &mut tally);
    let mut tally = Tally::default();
    let count = cases(150);
    for case in 0..count {
        compare(model, &run(model, &mut ChaCha8Rng::seed_from_u64(case)), &mut tally);
    }
    let least = tally.shortcuts.iter().min().expect("two");
    assert!(*least > count / 20, "{}: {tally:?}", model.name());
    let decided: u64 = tally.shortcuts.iter().sum();
    assert!(decided * 100 >= count * decided_percent, "{}: {tally:?}", model.name());
    // And with elements that are put in again.
    let few = [put(1), put(2), take(1), take(2), Empty, TakeUnknown];
    random(model, &few, 30, unanswered);
}

#[test]
fn fifo_queue() {
    container(&fifo_queue::FifoQueue, 100);
}

#[test]
fn unordered_queue() {
    container(&unordered_queue::UnorderedQueue, 100);
}

#[test]
fn stack() {
    container(&stack::Stack, 90);
}

#[test]
fn priority_queue() {
    container(&priority_queue::PriorityQueue, 90);
}
