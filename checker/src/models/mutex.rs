//! A lock that one holder at a time can have.

use super::alternate::{self, Turn};
use super::{Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;

/// `acquire` and `release`, as in Knossos: whoever releases it, the lock must be held. An attempt
/// that failed did not happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mutex;

/// What was done with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The free lock was taken.
    Acquire,
    /// The held lock was freed.
    Release,
}

impl Model for Mutex {
    type Op = Op;
    /// Whether it is held.
    type State = bool;
    type Next = Option<bool>;

    fn name(&self) -> &'static str {
        "mutex"
    }

    fn operations(&self) -> &'static str {
        "acquire, release"
    }

    fn op(
        &self,
        operation: &Operation,
        _answered: bool,
        _values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        match operation.f() {
            "acquire" => Ok(Some(Op::Acquire)),
            "release" => Ok(Some(Op::Release)),
            _ => Err(NoSuchOperation),
        }
    }

    fn init(&self) -> bool {
        false
    }

    fn step(&self, held: &bool, op: &Op) -> Option<bool> {
        match (op, held) {
            (Op::Acquire, false) => Some(true),
            (Op::Release, true) => Some(false),
            _ => None,
        }
    }

    fn is_read(&self, _op: &Op) -> bool {
        false
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "turns: what is due first is done first",
            answer: alternate::decide(ops, turn, |_| None),
        })
    }

    fn witness(&self, ops: &[Timed<Op>], at: Option<usize>) -> Option<Vec<usize>> {
        alternate::too_many(ops, turn, at?)
    }
}

fn turn(op: &Op) -> Turn {
    match op {
        Op::Acquire => Turn::Acquire,
        Op::Release => Turn::Release,
    }
}
