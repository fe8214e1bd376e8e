//! What queues and stacks have in common: elements are put in and taken out.

use rustc_hash::FxHashSet;

use super::{NoSuchOperation, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// What was done with the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// This one was put in.
    Put(ValueId),
    /// This one was taken out.
    Take(ValueId),
    /// There was none to take.
    Empty,
    /// One may have been taken out, if there was one; nobody learnt which.
    TakeUnknown,
}

/// Reads an operation by the names of putting and taking. The answer null says that there was none.
pub(super) fn op(
    operation: &Operation,
    answered: bool,
    values: &mut Values,
    [put, take]: [&str; 2],
) -> Result<Option<Op>, NoSuchOperation> {
    let f = operation.f.as_ref();
    Ok(Some(if f == put {
        Op::Put(values.id(&operation.argument))
    } else if f != take {
        return Err(NoSuchOperation);
    } else if !answered {
        Op::TakeUnknown
    } else if operation.result.is_null() {
        Op::Empty
    } else {
        Op::Take(values.id(&operation.result))
    }))
}

/// The element of an operation. Without one of its elements a run of a queue or a stack is a run
/// still, since the others keep their order.
pub(super) fn element(op: Op) -> Option<ValueId> {
    match op {
        Op::Put(value) | Op::Take(value) => Some(value),
        Op::Empty | Op::TakeUnknown => None,
    }
}

/// Elements that were put in and that no answer shows; who took one without learning which need not
/// have done so.
pub(super) fn needless(ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
    let taken: FxHashSet<ValueId> = ops
        .iter()
        .filter_map(|op| match op.op {
            Op::Take(value) => Some(value),
            _ => None,
        })
        .collect();
    let untaken = |at: &usize| matches!(ops[*at].op, Op::Put(value) if !taken.contains(&value));
    among.iter().copied().filter(untaken).collect()
}
