//! A set that only grows.

use rustc_hash::{FxHashMap, FxHashSet};

use super::levels::{Levelled, can_follow};
use super::{Answer, Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `add` of an element and `read` of the whole set, an array in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrowOnlySet;

/// What was done with the set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// This element was added.
    Add(ValueId),
    /// These were there, in the order of their numbers.
    Read(Box<[ValueId]>),
}

impl Model for GrowOnlySet {
    type Op = Op;
    /// In the order of their numbers.
    type State = Box<[ValueId]>;
    type Next = Option<Box<[ValueId]>>;

    fn name(&self) -> &'static str {
        "set"
    }

    fn operations(&self) -> &'static str {
        "add of an element; read, answered with an array"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f() {
            "add" => Some(Op::Add(values.id(operation.argument()))),
            "read" if !answered => None,
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
            Op::Add(value) => Some(match set.binary_search(value) {
                Ok(_) => set.clone(),
                Err(at) => [&set[..at], &[*value], &set[at..]].concat().into(),
            }),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_))
    }

    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        let reads = ops.iter().filter_map(|op| match &op.op {
            Op::Read(seen) => Some(seen.iter().copied()),
            Op::Add(_) => None,
        });
        let seen: FxHashSet<ValueId> = reads.flatten().collect();
        let unseen = |at: &usize| matches!(ops[*at].op, Op::Add(value) if !seen.contains(&value));
        among.iter().copied().filter(unseen).collect()
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "levels: every element was added once",
            answer: Answer::whole(by_levels(ops)?),
        })
    }

    fn heap_bytes(&self, set: &Box<[ValueId]>) -> usize {
        size_of_val(&**set)
    }
}

/// Decides by levels, in the total size of all reads: reads of equal sets share one, above those of
/// smaller sets; an add is just below the first read that shows its element. Every operation of a
/// lower level comes before every one of a higher. `None` if an element was added twice.
fn by_levels(ops: &[Timed<Op>]) -> Option<bool> {
    let mut adds: FxHashMap<ValueId, &Timed<Op>> = FxHashMap::default();
    let mut reads: Vec<(&[ValueId], &Timed<Op>)> = Vec::new();
    for op in ops {
        match &op.op {
            Op::Add(value) => {
                if adds.insert(*value, op).is_some() {
                    return None;
                }
            }
            Op::Read(seen) if op.returned.is_some() => reads.push((seen, op)),
            Op::Read(_) => {}
        }
    }
    reads.sort_by_key(|(seen, _)| seen.len());
    // What there is now, who was there from which level on, and each operation's level.
    let mut current: &[ValueId] = &[];
    let mut since: FxHashMap<ValueId, usize> = FxHashMap::default();
    let mut levels: Vec<Levelled> = Vec::with_capacity(ops.len());
    let mut level = 0;
    for (seen, read) in reads {
        if seen != current || level == 0 {
            level += 2;
            for value in seen {
                if !adds.contains_key(value) {
                    return Some(false);
                }
                since.entry(*value).or_insert(level - 1);
            }
            if since.len() != seen.len() {
                return Some(false); // One that was there before is not there now.
            }
            current = seen;
        }
        levels.push((level, read.invoked, read.deadline()));
    }
    for (value, add) in adds {
        let level = since.get(&value).copied().unwrap_or(usize::MAX);
        levels.push((level, add.invoked, add.deadline()));
    }
    Some(can_follow(levels))
}
