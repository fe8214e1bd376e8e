//! A lock that its holder can take again.

use super::{Model, NoSuchOperation, Values};
use crate::history::Operation;

/// `acquire` and `release`, each by a process: the holder can acquire again, and the lock is free
/// once the holder has released it as often. Nobody else can release it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReentrantMutex;

/// What a process did with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// It was taken, once more perhaps.
    Acquire(u64),
    /// It was given back once.
    Release(u64),
}

impl Model for ReentrantMutex {
    type Op = Op;
    /// Who holds it, and how many times less one.
    type State = Option<(u64, u32)>;
    type Next = Option<Self::State>;

    fn name(&self) -> &'static str {
        "reentrant-mutex"
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
            "acquire" => Ok(Some(Op::Acquire(operation.process))),
            "release" => Ok(Some(Op::Release(operation.process))),
            _ => Err(NoSuchOperation),
        }
    }

    fn init(&self) -> Self::State {
        None
    }

    fn step(&self, holder: &Self::State, op: &Op) -> Option<Self::State> {
        match (*op, *holder) {
            (Op::Acquire(process), None) => Some(Some((process, 0))),
            (Op::Acquire(process), Some((by, again))) if by == process => {
                Some(Some((by, again + 1)))
            }
            (Op::Release(process), Some((by, again))) if by == process => {
                Some(again.checked_sub(1).map(|again| (by, again)))
            }
            _ => None,
        }
    }

    fn is_read(&self, _op: &Op) -> bool {
        false
    }
}
