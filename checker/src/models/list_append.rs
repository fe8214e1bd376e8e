//! A list that is appended to.

use rustc_hash::FxHashMap;

use super::levels::{Levelled, can_follow};
use super::{Answer, Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `append` of an element and `read` of the whole list, an array, which is empty at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListAppend;

/// What was done with the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// This element was put at the end.
    Append(ValueId),
    /// These were there, in this order.
    Read(Box<[ValueId]>),
}

impl Model for ListAppend {
    type Op = Op;
    type State = Box<[ValueId]>;
    type Next = Option<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "list-append"
    }

    fn operations(&self) -> &'static str {
        "append of an element; read, answered with an array"
    }

    /// A read that is answered with null found an empty list.
    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f() {
            "append" => Some(Op::Append(values.id(operation.argument()))),
            "read" if !answered => None,
            "read" if operation.result().is_null() => Some(Op::Read(Box::default())),
            "read" => Some(Op::Read(values.list(operation.result())?)),
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> Box<[ValueId]> {
        Box::default()
    }

    fn step(&self, list: &Box<[ValueId]>, op: &Op) -> Option<Box<[ValueId]>> {
        match op {
            Op::Read(seen) => (seen == list).then(|| list.clone()),
            Op::Append(element) => Some([list, &[*element][..]].concat().into()),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_))
    }

    /// What was appended stays in sight, so nothing was read after what no answer shows.
    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        let seen: rustc_hash::FxHashSet<ValueId> =
            reads(ops).flat_map(|(seen, _)| seen).copied().collect();
        let unseen = |at: &usize| matches!(ops[*at].op, Op::Append(one) if !seen.contains(&one));
        among.iter().copied().filter(unseen).collect()
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "levels: every element was appended once, the longest read has their order",
            answer: Answer::whole(by_longest_read(ops)?),
        })
    }

    fn heap_bytes(&self, list: &Box<[ValueId]>) -> usize {
        size_of_val(&**list)
    }
}

/// What was read, and by whom.
fn reads(ops: &[Timed<Op>]) -> impl Iterator<Item = (&[ValueId], &Timed<Op>)> {
    ops.iter().filter_map(|op| match &op.op {
        Op::Read(seen) if op.returned.is_some() => Some((&**seen, op)),
        _ => None,
    })
}

/// Decides in the total size of all reads; `None` if an element was appended twice.
fn by_longest_read(ops: &[Timed<Op>]) -> Option<bool> {
    let mut appends: FxHashMap<ValueId, Levelled> = FxHashMap::default();
    for op in ops {
        let Op::Append(element) = op.op else { continue };
        // Above all that anybody saw, unless a read says where.
        let level = (usize::MAX, op.invoked, op.deadline());
        if appends.insert(element, level).is_some() {
            return None;
        }
    }
    let longest = reads(ops).map(|(seen, _)| seen).max_by_key(|seen| seen.len());
    let longest = longest.unwrap_or_default();
    for (at, element) in longest.iter().enumerate() {
        match appends.get_mut(element) {
            Some((level, ..)) if *level == usize::MAX => *level = 2 * at + 1,
            _ => return Some(false),
        }
    }
    let mut levels: Vec<Levelled> = appends.into_values().collect();
    for (seen, read) in reads(ops) {
        if !longest.starts_with(seen) {
            return Some(false);
        }
        levels.push((2 * seen.len(), read.invoked, read.deadline()));
    }
    Some(can_follow(levels))
}
