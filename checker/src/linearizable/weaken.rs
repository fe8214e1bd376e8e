//! What a part of a history proves without the rest.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Call, RegisterOp, ValueId};

/// What the operations `kept` (indices) of a history prove on their own.
///
/// An answer counts only if the operations that are kept show where it can have come from:
///
/// - Every operation that installs its value is kept, or invoked after the answer's completion,
///   or certainly overwritten before the answer's invocation, by an operation that is kept. (One
///   that was invoked after the former's completion and completed before the latter's invocation.)
/// - At least one operation that installs its value is kept, if the history has any.
///
/// Otherwise a read is left out and a compare-and-set counts as a plain write.
///
/// Take any order that explains the whole history, and leave out what is not kept: each answer
/// that counts still follows the operation that it followed before. Hence if no order explains
/// the result, none explains the whole history.
pub fn weakened(ops: &[RegisterOp], kept: &[usize]) -> Vec<RegisterOp> {
    Part::new(ops, kept.to_vec()).weakened(kept)
}

/// A part of a history, with what must be known of the rest to weaken smaller parts of it.
pub(super) struct Part<'a> {
    ops: &'a [RegisterOp],
    /// Ascending.
    members: Vec<usize>,
    /// Operations outside that install a value which a member returned.
    outside: Installers,
}

impl<'a> Part<'a> {
    fn new(ops: &'a [RegisterOp], mut members: Vec<usize>) -> Self {
        members.sort_unstable();
        members.dedup();
        let inside: FxHashSet<usize> = members.iter().copied().collect();
        let expected: FxHashSet<ValueId> =
            members.iter().filter_map(|&op| ops[op].call.expects()).collect();
        let is_outside = |&op: &usize| {
            let value = ops[op].call.installs();
            value.is_some_and(|value| expected.contains(&value)) && !inside.contains(&op)
        };
        let outside = Installers::new(ops, (0..ops.len()).filter(is_outside));
        Part { ops, members, outside }
    }

    /// These operations and those that their answers can come from, with for each answer at least
    /// one that installs its value: the last one before, else the first one after.
    pub(super) fn with_sources(ops: &'a [RegisterOp], members: Vec<usize>) -> Self {
        let part = Part::new(ops, members);
        let overwritten = Overwritten::new(ops, 0..ops.len(), &part.members);
        let mut readers: FxHashMap<ValueId, Vec<usize>> = FxHashMap::default();
        for &reader in &part.members {
            if let Some(value) = ops[reader].call.expects() {
                readers.entry(value).or_default().push(reader);
            }
        }
        let mut nearest: FxHashMap<usize, ((bool, u64), usize)> = FxHashMap::default();
        let mut sources = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            let Some(value) = op.call.installs() else { continue };
            for &reader in readers.get(&value).into_iter().flatten() {
                let before = op.invoked <= ops[reader].deadline();
                if before && op.deadline() >= overwritten.before(ops[reader].invoked) {
                    sources.push(index);
                }
                let nearness = (before, if before { op.deadline() } else { !op.invoked });
                let found = nearest.entry(reader).or_insert((nearness, index));
                *found = (nearness, index).max(*found);
            }
        }
        sources.extend(nearest.into_values().map(|(_, index)| index));
        sources.extend(&part.members);
        Part::new(ops, sources)
    }

    pub(super) fn members(&self) -> &[usize] {
        &self.members
    }

    /// What `kept`, some of the members in ascending order, prove on their own.
    pub(super) fn weakened(&self, kept: &[usize]) -> Vec<RegisterOp> {
        let ops = self.ops;
        let present: FxHashSet<usize> = kept.iter().copied().collect();
        let left_out = self.members.iter().copied().filter(|op| !present.contains(op));
        let left_out = Installers::new(ops, left_out);
        let installed: FxHashSet<ValueId> =
            kept.iter().filter_map(|&op| ops[op].call.installs()).collect();
        let overwritten = Overwritten::new(ops, kept.iter().copied(), kept);
        let counts = |reader: &RegisterOp, value: ValueId| {
            let before = overwritten.before(reader.invoked);
            [&self.outside, &left_out].iter().all(|missing| {
                missing.0.get(&value).is_none_or(|intervals| {
                    let earlier = intervals.partition_point(|&(at, _)| at <= reader.deadline());
                    let overwritten = earlier == 0 || intervals[earlier - 1].1 < before;
                    overwritten && installed.contains(&value)
                })
            })
        };
        let weaken = |&index: &usize| {
            let op = ops[index];
            if op.call.expects().is_none_or(|value| counts(&op, value)) {
                return Some(op);
            }
            op.call.installs().map(|value| RegisterOp { call: Call::Write(value), ..op })
        };
        kept.iter().filter_map(weaken).collect()
    }
}

/// Operations that install a value: by value their invocations, ascending, each with the latest
/// completion up to it.
struct Installers(FxHashMap<ValueId, Vec<(u64, u64)>>);

impl Installers {
    fn new(ops: &[RegisterOp], indices: impl Iterator<Item = usize>) -> Self {
        let mut by_value: FxHashMap<ValueId, Vec<(u64, u64)>> = FxHashMap::default();
        for op in indices.map(|op| &ops[op]) {
            if let Some(value) = op.call.installs() {
                by_value.entry(value).or_default().push((op.invoked, op.deadline()));
            }
        }
        for intervals in by_value.values_mut() {
            intervals.sort_unstable();
            let mut latest = 0;
            for (_, completed) in intervals {
                latest = latest.max(*completed);
                *completed = latest;
            }
        }
        Installers(by_value)
    }
}

/// What was certainly overwritten when a reader was invoked.
struct Overwritten {
    /// Invocations of readers, ascending, each with the latest invocation among the installing
    /// operations that had completed before it: all that had completed before that is overwritten.
    invocations: Vec<(u64, u64)>,
}

impl Overwritten {
    fn new(ops: &[RegisterOp], by: impl Iterator<Item = usize>, readers: &[usize]) -> Self {
        let is_reader = |&&reader: &&usize| ops[reader].call.expects().is_some();
        let mut invocations: Vec<(u64, u64)> =
            readers.iter().filter(is_reader).map(|&reader| (ops[reader].invoked, 0)).collect();
        invocations.sort_unstable();
        for op in by.map(|op| &ops[op]).filter(|op| op.call.installs().is_some()) {
            let after = invocations.partition_point(|&(invoked, _)| invoked <= op.deadline());
            if let Some((_, latest)) = invocations.get_mut(after) {
                *latest = op.invoked.max(*latest);
            }
        }
        let mut latest = 0;
        for (_, so_far) in &mut invocations {
            latest = latest.max(*so_far);
            *so_far = latest;
        }
        Overwritten { invocations }
    }

    /// Installing operations that completed before this were overwritten when a reader was invoked
    /// at `invoked`.
    fn before(&self, invoked: u64) -> u64 {
        let at = self.invocations.partition_point(|&(other, _)| other < invoked);
        self.invocations[at].1
    }
}
