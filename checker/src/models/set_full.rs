//! A set whose elements can be removed again.

use rustc_hash::FxHashSet;

use super::{Model, NoSuchOperation, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `add` and `remove` of an element, there or not, `read` of the whole set, an array in any order,
/// and `contains`, answered with true or false.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullSet;

/// What was done with the set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// This element is in it from now on.
    Add(ValueId),
    /// This one is not.
    Remove(ValueId),
    /// Whether this one was.
    Contains(ValueId, bool),
    /// These were there, in the order of their numbers.
    Read(Box<[ValueId]>),
}

impl Model for FullSet {
    type Op = Op;
    /// In the order of their numbers.
    type State = Box<[ValueId]>;
    type Next = Option<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "set-full"
    }

    fn operations(&self) -> &'static str {
        "add and remove of an element; read, answered with an array; contains, answered with true or false"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        let mut argument = || values.id(operation.argument());
        Ok(match operation.f() {
            "add" => Some(Op::Add(argument())),
            "remove" => Some(Op::Remove(argument())),
            "read" | "contains" if !answered => None,
            "contains" => {
                let there = operation.result().as_bool().ok_or(NoSuchOperation)?;
                Some(Op::Contains(argument(), there))
            }
            "read" => Some(Op::Read(values.set(operation.result())?)),
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> Box<[ValueId]> {
        Box::default()
    }

    fn step(&self, set: &Box<[ValueId]>, op: &Op) -> Option<Box<[ValueId]>> {
        match op {
            Op::Read(seen) => (seen == set).then(|| set.clone()),
            Op::Contains(element, there) => {
                (set.binary_search(element).is_ok() == *there).then(|| set.clone())
            }
            Op::Add(element) => Some(match set.binary_search(element) {
                Ok(_) => set.clone(),
                Err(at) => [&set[..at], &[*element], &set[at..]].concat().into(),
            }),
            Op::Remove(element) => Some(match set.binary_search(element) {
                Ok(at) => [&set[..at], &set[at + 1..]].concat().into(),
                Err(_) => set.clone(),
            }),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_) | Op::Contains(..))
    }

    /// What was done with elements that no answer shows, if no answer is the whole set.
    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        let mut asked = FxHashSet::default();
        let mut is_read = false;
        for op in ops {
            match &op.op {
                Op::Contains(element, _) => drop(asked.insert(*element)),
                Op::Read(seen) => {
                    is_read = true;
                    asked.extend(seen.iter().copied());
                }
                Op::Add(_) | Op::Remove(_) => {}
            }
        }
        // Without an answer that shows it, an element need not be added; but once it was, its
        // absence from the whole set may take a removal.
        let needless = |at: &usize| match ops[*at].op {
            Op::Add(element) => !asked.contains(&element),
            Op::Remove(element) => !is_read && !asked.contains(&element),
            Op::Read(_) | Op::Contains(..) => false,
        };
        among.iter().copied().filter(needless).collect()
    }

    fn heap_bytes(&self, set: &Box<[ValueId]>) -> usize {
        size_of_val(&**set)
    }
}
