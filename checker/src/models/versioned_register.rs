//! A register whose every write has a version, as in etcd.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::levels::{Levelled, can_follow};
use super::{Answer, Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::Operation;
use crate::linearizable::ValueId;

/// `read`, `write` and `cas` of `[old, new]`, answered with the version (a field of its own) that
/// was read or made. Each write's version exceeds the one before; how much is not said. At first
/// the value is null and the version 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionedRegister;

/// What was done with the register, and the version if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// It held this.
    Read(ValueId, Option<u64>),
    /// It was set to this.
    Write(ValueId, Option<u64>),
    /// It held the first value and was set to the second.
    Cas(ValueId, ValueId, Option<u64>),
}

/// The value, and what is known of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    value: ValueId,
    /// It is this one if it is known, else this or a later one.
    version: u64,
    is_known: bool,
}

impl State {
    fn written(self, value: ValueId, version: Option<u64>) -> Option<State> {
        let is_known = version.is_some();
        let version = match version {
            Some(version) => version,
            None => self.version.checked_add(1)?,
        };
        (version > self.version).then_some(State { value, version, is_known })
    }
}

impl Model for VersionedRegister {
    type Op = Op;
    type State = State;
    type Next = Option<State>;

    fn name(&self) -> &'static str {
        "versioned-register"
    }

    fn operations(&self) -> &'static str {
        "read, write of a value, cas of [old, new]"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        let version = operation.version().filter(|_| answered);
        Ok(match operation.f() {
            "read" if !answered => None,
            "read" => Some(Op::Read(values.id(operation.result()), version)),
            "write" => Some(Op::Write(values.id(operation.argument()), version)),
            "cas" => {
                let Some([old, new]) = operation.argument().as_array() else {
                    return Err(NoSuchOperation);
                };
                Some(Op::Cas(values.id(old), values.id(new), version))
            }
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> State {
        State { value: Values::NULL, version: 0, is_known: true }
    }

    fn step(&self, state: &State, op: &Op) -> Option<State> {
        match *op {
            Op::Write(value, version) => state.written(value, version),
            Op::Cas(old, new, version) if old == state.value => state.written(new, version),
            Op::Read(value, None) if value == state.value => Some(*state),
            Op::Read(value, Some(version)) if value == state.value => {
                let fits = version == state.version || version > state.version && !state.is_known;
                fits.then_some(State { version, is_known: true, ..*state })
            }
            Op::Cas(..) | Op::Read(..) => None,
        }
    }

    /// One with a version can tell that of a write whose own is not known.
    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_, None))
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "levels: the versions are the order",
            answer: Answer::whole(by_version(ops)?),
        })
    }
}

/// What is known of one version.
#[derive(Default)]
struct Version {
    value: Option<ValueId>,
    is_written: bool,
    /// Invocation and deadline of the write and of the reads.
    write: Option<(u64, u64)>,
    reads: Vec<(u64, u64)>,
}

impl Version {
    /// False if it has another value.
    fn has(&mut self, value: ValueId) -> bool {
        *self.value.get_or_insert(value) == value
    }
}

/// Decides a history of reads and writes of which all that completed told their version; else
/// `None`. A version that nobody is known to have written is the work of a write of its value that
/// may have happened: the one that began first.
fn by_version(ops: &[Timed<Op>]) -> Option<bool> {
    let mut versions: BTreeMap<u64, Version> = BTreeMap::new();
    versions
        .insert(0, Version { is_written: true, value: Some(Values::NULL), ..Version::default() });
    let mut open: FxHashMap<ValueId, Vec<u64>> = FxHashMap::default();
    let mut is_consistent = true;
    for op in ops {
        let interval = (op.invoked, op.deadline());
        match (op.op, op.returned) {
            (Op::Read(value, Some(version)), Some(_)) => {
                let version = versions.entry(version).or_default();
                version.reads.push(interval);
                is_consistent &= version.has(value);
            }
            (Op::Write(value, Some(version)), Some(_)) => {
                let version = versions.entry(version).or_default();
                is_consistent &= version.has(value) && !version.is_written;
                (version.is_written, version.write) = (true, Some(interval));
            }
            (Op::Write(value, None), None) => open.entry(value).or_default().push(op.invoked),
            (Op::Read(..), None) => {}
            _ => return None,
        }
    }
    open.values_mut().for_each(|begun| begun.sort_unstable_by_key(|at| std::cmp::Reverse(*at)));
    let mut levels: Vec<Levelled> = Vec::with_capacity(ops.len());
    for (rank, version) in versions.into_values().enumerate() {
        let begun = version.value.and_then(|value| open.get_mut(&value));
        let write = match version.is_written {
            true => version.write,
            false => match begun.and_then(Vec::pop) {
                Some(invoked) => Some((invoked, u64::MAX)),
                None => return Some(false),
            },
        };
        levels.extend(write.map(|(invoked, deadline)| (2 * rank, invoked, deadline)));
        let reads = version.reads.iter();
        levels.extend(reads.map(|(invoked, deadline)| (2 * rank + 1, *invoked, *deadline)));
    }
    Some(is_consistent && can_follow(levels))
}
