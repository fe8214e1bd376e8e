//! Long and wide histories.

use super::*;
use elements::Element;

/// Without optimisation a tenth of it.
const MANY: u64 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

fn timed<Op>(op: Op, invoked: u64, returned: Option<u64>) -> Timed<Op> {
    Timed { op, invoked, returned }
}

fn answer<M: Model>(model: &M, ops: &[Timed<M::Op>]) -> Answer {
    decide(model, ops, &Budget::default()).answer
}

#[test]
fn operations_that_are_alike_are_counted() {
    use counter::{Counter, Op};
    let many = MANY / 10;
    for returned in [Some(9), None] {
        let adds = (0..many).map(|_| timed(Op::Add(1), 0, returned));
        for (seen, expected) in [(many / 2, true), (many + 1, false)] {
            let read = timed(Op::Read(seen as i64), 1, Some(2));
            let ops: Vec<_> = adds.clone().chain([read]).collect();
            assert_eq!(answer(&Counter, &ops) == Answer::Yes, expected, "{seen} of {many}");
        }
    }
}

#[test]
fn a_lock_held_twice_after_a_long_time_is_shown_by_what_came_last() {
    use mutex::{Mutex, Op};
    // Somebody waits while another still does, but every tenth turn.
    let turns = (0..MANY).flat_map(|turn| {
        let at = 10 * turn;
        let acquired = timed(Op::Acquire, at - 8 * u64::from(turn % 10 > 0), Some(at + 5));
        [acquired, timed(Op::Release, at + 6, Some(at + 7))]
    });
    let mut ops: Vec<_> = turns.collect();
    assert_eq!(answer(&Mutex, &ops), Answer::Yes);
    ops.remove((ops.len() / 2) | 1);
    let Answer::No { at } = answer(&Mutex, &ops) else { panic!("held twice") };
    let witness = witness::minimal(&Mutex, &ops, at, &Budget::default());
    assert!(witness.len() <= 20, "{}", witness.len());
}

#[test]
fn tokens_that_contradict_each_other_are_shown_alone() {
    use fenced_mutex::{FencedMutex, Op};
    let turn = |token: u64, at: u64| {
        let acquired = timed(Op::Acquire(Some(token)), 10 * at, Some(10 * at + 1));
        [acquired, timed(Op::Release(None), 10 * at + 2, Some(10 * at + 3))]
    };
    let turns = |tokens: [u64; 5]| -> Vec<_> {
        tokens.iter().zip(0..).flat_map(|(token, at)| turn(*token, at)).collect()
    };
    assert_eq!(answer(&FencedMutex, &turns([1, 2, 5, 6, 7])), Answer::Yes);
    for (tokens, expected) in [([1, 2, 5, 3, 7], [4, 6]), ([1, 2, 3, 3, 4], [4, 6])] {
        let ops = turns(tokens);
        let Answer::No { at } = answer(&FencedMutex, &ops) else { panic!("{tokens:?}") };
        assert_eq!(witness::minimal(&FencedMutex, &ops, at, &Budget::default()), expected);
    }
}

#[test]
fn a_deep_stack_is_peeled() {
    use elements::Op::{Put, Take};
    let put = |at: u64| timed(Put(Element(at as i64)), 2 * at, Some(2 * at + 1));
    let after = |at: u64| 2 * (2 * MANY - at);
    let take = |at: u64| timed(Take(Element(at as i64)), after(at), Some(after(at) + 1));
    let mut ops: Vec<_> = (0..MANY).map(put).chain((0..MANY).map(take)).collect();
    assert_eq!(answer(&stack::Stack, &ops), Answer::Yes);
    let (one, other) = (MANY as usize + 7, MANY as usize + 9);
    (ops[one].op, ops[other].op) = (ops[other].op, ops[one].op);
    assert_eq!(answer(&stack::Stack, &ops), Answer::No { at: None });
}
