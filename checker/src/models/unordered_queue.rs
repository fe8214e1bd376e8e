//! A queue that gives out its elements in any order.

use super::elements::{Container, Elements, Op};
use super::sweep::Order;

/// `enqueue` and `dequeue` of a multiset; a dequeue that is answered with null found it empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnorderedQueue;

/// The elements in the order of their numbers.
impl Container for UnorderedQueue {
    type Next = Vec<Elements>;

    const NAME: &'static str = "unordered-queue";
    const VERBS: [&'static str; 2] = ["enqueue", "dequeue"];
    const OPERATIONS: &'static str =
        "enqueue of an element; dequeue, answered with one, or with null if there is none";
    const ORDER: Order = Order::None;

    fn step(&self, queue: &Elements, op: &Op) -> Vec<Elements> {
        let without = |at: usize| [&queue[..at], &queue[at + 1..]].concat().into();
        match op {
            Op::Put(value) => {
                let (before, after) = queue.split_at(queue.partition_point(|v| v <= value));
                vec![[before, &[*value], after].concat().into()]
            }
            Op::Take(value) => queue.binary_search(value).map(without).into_iter().collect(),
            Op::TakeUnknown if !queue.is_empty() => {
                let is_last = |at: &usize| queue.get(at + 1) != Some(&queue[*at]);
                (0..queue.len()).filter(is_last).map(without).collect()
            }
            Op::Empty | Op::TakeUnknown => {
                queue.is_empty().then(Elements::default).into_iter().collect()
            }
        }
    }
}
