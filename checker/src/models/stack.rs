//! A stack: the element that came in last goes out first.

use super::elements::{self, Op};
use super::{Model, NoSuchOperation, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `push` and `pop`; a pop that is answered with null found the stack empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stack;

impl Model for Stack {
    type Op = Op;
    /// The top last.
    type State = Box<[ValueId]>;
    type Next = Option<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "stack"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        elements::op(operation, answered, values, ["push", "pop"])
    }

    fn init(&self) -> Box<[ValueId]> {
        Box::default()
    }

    fn step(&self, stack: &Box<[ValueId]>, op: &Op) -> Option<Box<[ValueId]>> {
        match (op, stack.split_last()) {
            (Op::Put(value), _) => Some([stack, &[*value][..]].concat().into()),
            (Op::Take(value), Some((top, rest))) if value == top => Some(rest.into()),
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

    fn heap_bytes(&self, stack: &Box<[ValueId]>) -> usize {
        size_of_val(&**stack)
    }
}
