//! A queue that gives out its elements in any order.

use super::elements::{self, Op};
use super::sweep::{Lives, Order};
use super::{Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `enqueue` and `dequeue` of a multiset; a dequeue that is answered with null found it empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnorderedQueue;

impl Model for UnorderedQueue {
    type Op = Op;
    /// In the order of their numbers.
    type State = Box<[ValueId]>;
    type Next = Vec<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "unordered-queue"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        elements::op(operation, answered, values, ["enqueue", "dequeue"])
    }

    fn init(&self) -> Box<[ValueId]> {
        Box::default()
    }

    fn step(&self, queue: &Box<[ValueId]>, op: &Op) -> Vec<Box<[ValueId]>> {
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
                queue.is_empty().then(Box::default).into_iter().collect()
            }
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        *op == Op::Empty
    }

    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        elements::needless(ops, among)
    }

    fn element(&self, op: &Op) -> Option<ValueId> {
        elements::element(*op)
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "sweep: every element was enqueued once",
            linearizable: Lives::of(ops)?.decide(Order::None)?,
        })
    }

    fn heap_bytes(&self, queue: &Box<[ValueId]>) -> usize {
        size_of_val(&**queue)
    }
}
