//! A number that can be added to.

use super::{Model, NoSuchOperation, Values};
use crate::history::Operation;

/// `add` of a whole number, negative ones included, and `read`; zero at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

/// What was done with the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// So much was added.
    Add(i64),
    /// It stood at this.
    Read(i64),
}

impl Model for Counter {
    type Op = Op;
    /// Wide enough for any sum.
    type State = i128;
    type Next = Option<i128>;

    fn name(&self) -> &'static str {
        "counter"
    }

    fn operations(&self) -> &'static str {
        "add of a whole number; read, answered with one"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        _values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f() {
            "add" => Some(Op::Add(operation.argument().as_i64().ok_or(NoSuchOperation)?)),
            "read" if !answered => None,
            "read" => Some(Op::Read(operation.result().as_i64().ok_or(NoSuchOperation)?)),
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> i128 {
        0
    }

    fn step(&self, sum: &i128, op: &Op) -> Option<i128> {
        match *op {
            Op::Add(more) => Some(sum + i128::from(more)),
            Op::Read(seen) => (i128::from(seen) == *sum).then_some(*sum),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_) | Op::Add(0))
    }
}
