//! A queue that gives out its elements in the order in which they came in.

use super::elements::{Container, Elements, Op};
use super::sweep::Order;

/// `enqueue` and `dequeue`; a dequeue that is answered with null found the queue empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct FifoQueue;

/// The oldest element first.
impl Container for FifoQueue {
    type Next = Option<Elements>;

    const NAME: &'static str = "fifo-queue";
    const VERBS: [&'static str; 2] = ["enqueue", "dequeue"];
    const OPERATIONS: &'static str =
        "enqueue of an element; dequeue, answered with one, or with null if there is none";
    const ORDER: Order = Order::FirstInFirstOut;

    fn step(&self, queue: &Elements, op: &Op) -> Option<Elements> {
        match (op, queue.split_first()) {
            (Op::Put(value), _) => Some([queue, &[*value][..]].concat().into()),
            (Op::Take(value), Some((first, rest))) if value == first => Some(rest.into()),
            (Op::TakeUnknown, Some((_, rest))) => Some(rest.into()),
            (Op::Empty | Op::TakeUnknown, None) => Some(Elements::default()),
            (Op::Take(_) | Op::Empty, _) => None,
        }
    }
}
