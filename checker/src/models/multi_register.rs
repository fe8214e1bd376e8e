//! Several registers that are read and written together.

use rustc_hash::FxHashSet;

use super::{Model, NoSuchOperation, Timed, Values};
use crate::history::Operation;
use crate::history::steps::{Action, Steps};
use crate::linearizable::ValueId;

/// `txn` with a list of `["r", key, value]` and `["w", key, value]`, which take effect as one;
/// every register is null at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiRegister;

/// Everything that one transaction did, in order.
pub type Op = Box<[Access]>;

/// What was done with one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The register held this value.
    Read(ValueId, ValueId),
    /// It was set to this value.
    Write(ValueId, ValueId),
}

impl Model for MultiRegister {
    type Op = Op;
    /// Registers that are not null, each with its value, in the order of their numbers.
    type State = Box<[(ValueId, ValueId)]>;
    type Next = Option<Self::State>;

    fn name(&self) -> &'static str {
        "multi-register"
    }

    fn operations(&self) -> &'static str {
        "txn of [[\"r\", key, null], [\"w\", key, value]]"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        if operation.f() != "txn" {
            return Err(NoSuchOperation);
        }
        let list = if answered { operation.result() } else { operation.argument() };
        let mut accesses = Vec::new();
        let steps = list.as_steps();
        // An empty transaction has no steps.
        if steps.is_none() && list.as_array().is_none_or(|elements| !elements.is_empty()) {
            return Err(NoSuchOperation);
        }
        for step in steps.into_iter().flat_map(Steps::iter) {
            let (key, value) = (step.key.value().into(), step.content.value().into());
            let (key, value) = (values.id(&key), values.id(&value));
            match step.action {
                Action::Read if answered => accesses.push(Access::Read(key, value)),
                Action::Read => {}
                Action::Write => accesses.push(Access::Write(key, value)),
                Action::Append => return Err(NoSuchOperation),
            }
        }
        Ok((!accesses.is_empty()).then(|| accesses.into()))
    }

    fn init(&self) -> Self::State {
        Box::default()
    }

    fn step(&self, state: &Self::State, op: &Op) -> Option<Self::State> {
        let mut state = state.to_vec();
        for access in op {
            let (Access::Read(key, value) | Access::Write(key, value)) = *access;
            let at = state.binary_search_by_key(&key, |(key, _)| *key);
            match (access, at) {
                (Access::Read(..), at) => {
                    let held = at.map_or(Values::NULL, |at| state[at].1);
                    if held != value {
                        return None;
                    }
                }
                (Access::Write(..), Ok(at)) if value == Values::NULL => drop(state.remove(at)),
                (Access::Write(..), Ok(at)) => state[at].1 = value,
                (Access::Write(..), Err(_)) if value == Values::NULL => {}
                (Access::Write(..), Err(at)) => state.insert(at, (key, value)),
            }
        }
        Some(state.into())
    }

    fn is_read(&self, op: &Op) -> bool {
        op.iter().all(|access| matches!(access, Access::Read(..)))
    }

    fn spans_keys(&self) -> bool {
        true
    }

    /// Transactions that certainly read nothing, and of whose writes no answer shows one.
    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        let accesses = ops.iter().flat_map(|op| op.op.iter());
        let seen: FxHashSet<(ValueId, ValueId)> = accesses
            .filter_map(|access| match *access {
                Access::Read(key, value) => Some((key, value)),
                Access::Write(..) => None,
            })
            .collect();
        let unseen = |access: &Access| match *access {
            Access::Read(..) => false,
            Access::Write(key, value) => !seen.contains(&(key, value)),
        };
        among.iter().copied().filter(|at| ops[*at].op.iter().all(unseen)).collect()
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        size_of_val(&**state)
    }
}
