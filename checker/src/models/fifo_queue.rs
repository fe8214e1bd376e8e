//! A queue that gives out its elements in the order in which they came in.

use super::elements::{self, Op};
use super::sweep::{Lives, Order};
use super::{Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `enqueue` and `dequeue`; a dequeue that is answered with null found the queue empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct FifoQueue;

impl Model for FifoQueue {
    type Op = Op;
    /// The oldest first.
    type State = Box<[ValueId]>;
    type Next = Option<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "fifo-queue"
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

    fn step(&self, queue: &Box<[ValueId]>, op: &Op) -> Option<Box<[ValueId]>> {
        match (op, queue.split_first()) {
            (Op::Put(value), _) => Some([queue, &[*value][..]].concat().into()),
            (Op::Take(value), Some((first, rest))) if value == first => Some(rest.into()),
            (Op::TakeUnknown, Some((_, rest))) => Some(rest.into()),
            (Op::Empty | Op::TakeUnknown, None) => Some(Box::default()),
            (Op::Take(_) | Op::Empty, _) => None,
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
            linearizable: Lives::of(ops)?.decide(Order::FirstInFirstOut)?,
        })
    }

    fn heap_bytes(&self, queue: &Box<[ValueId]>) -> usize {
        size_of_val(&**queue)
    }
}
