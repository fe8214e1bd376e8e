//! The checks that workloads bring with them: each looks for what its workload is known to find,
//! and says it in the result fields of Jepsen's check of the same name.
//!
//! They hold without any assumption about the order in which a system works: what they call wrong
//! is wrong in every consistency model that forbids it by name. Operations of which nobody knows
//! whether they happened never make a history wrong.

mod bank;
mod causal;
mod causal_reverse;
mod counter;
mod echo;
mod g2;
mod list;
mod log;
mod long_fork;
mod monotonic;
mod pn_counter;
mod report;
mod sequential;
mod set;
mod set_full;
mod stats;
mod total_queue;
mod unique_ids;
mod watch;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

pub(crate) use list::ALL;
pub use report::CheckResult;
use report::{Finding, Report};

use crate::history::{Completion, Datum, History, NodeId, Operation, Phase};
use crate::judgement::Misfit;
use crate::options::Options;
use crate::violation::Violation;

/// A check of the histories of one workload.
pub(crate) trait Check: Sync {
    /// The name of the workload, and of the vocabulary in a history's header.
    fn name(&self) -> &'static str;

    /// The operations that it reads, in words.
    fn operations(&self) -> &'static str;

    /// Whether what it finds stays, however the history goes on: nothing is missing that may come yet.
    fn is_safety(&self) -> bool {
        false
    }

    /// Whether all keys of a history are one object, instead of one object each.
    fn spans_keys(&self) -> bool {
        false
    }

    /// Judges one object. An error is an operation that is not one of its kind.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation>;
}

/// All operations on one key, or of a history without keys.
pub(crate) struct Object<'h> {
    /// In the order of their invocations.
    pub operations: Vec<&'h Operation>,
    /// What it held before the first of them.
    pub initial: &'h Value,
    /// What to judge it by.
    pub options: &'h Options,
}

impl<'h> Object<'h> {
    /// Those of one name that certainly happened.
    fn ok<'a>(&'a self, f: &'a str) -> impl Iterator<Item = &'h Operation> + 'a {
        self.operations.iter().copied().filter(move |op| op.f() == f && op.is_ok())
    }

    /// Those of one name by their argument, in the order of their invocations, however they ended.
    fn attempts(&self, f: &str) -> FxHashMap<&'h Datum, Vec<&'h Operation>> {
        let mut attempts: FxHashMap<&Datum, Vec<&Operation>> = FxHashMap::default();
        for &op in self.operations.iter().filter(|op| op.f() == f) {
            attempts.entry(op.argument()).or_default().push(op);
        }
        attempts
    }

    /// What each node answered to the last `read` of the final phase, in the order of their
    /// invocations; nothing where that was not recorded.
    fn final_reads(&self) -> Vec<&'h Operation> {
        let mut last: BTreeMap<Option<NodeId>, &'h Operation> = BTreeMap::new();
        for read in self.ok("read").filter(|read| read.phase == Some(Phase::Final)) {
            last.insert(read.node(), read);
        }
        let mut reads: Vec<&Operation> = last.into_values().collect();
        reads.sort_by_key(|read| read.invoked);
        reads
    }

    /// The elements that were there at first.
    fn initial_elements(&self) -> impl Iterator<Item = Datum> {
        self.initial.as_array().into_iter().flatten().cloned().map(Datum::from)
    }

    /// An operation whose name is none of these.
    fn only(&self, names: &[&str]) -> Result<(), &'h Operation> {
        let stranger = self.operations.iter().find(|op| !names.contains(&op.f()));
        stranger.map_or(Ok(()), |stranger| Err(*stranger))
    }
}

/// Whether an operation was over before another began.
fn precedes(one: &Operation, other: &Operation) -> bool {
    one.completed().is_some_and(|end| end < other.invoked)
}

/// Whether one of the attempts to make something can be why an operation saw it: it did not fail, and
/// it began before that was over.
fn may_explain(attempts: &[&Operation], seen_by: &Operation) -> bool {
    let mut attempts = attempts.iter();
    attempts.any(|attempt| attempt.completion() != Completion::Fail && !precedes(seen_by, attempt))
}

/// What reads saw that was not there at first and that none of these attempts explains, each once with
/// the first read.
fn unexplained<'h>(
    object: &Object<'h>,
    attempts: &FxHashMap<&'h Datum, Vec<&'h Operation>>,
    seen: impl IntoIterator<Item = (&'h Datum, &'h Operation)>,
) -> Vec<(&'h Datum, &'h Operation)> {
    let initial: FxHashSet<Datum> = object.initial_elements().collect();
    let mut told = FxHashSet::default();
    let is_explained = |value: &Datum, read: &Operation| {
        let explains = |attempts: &Vec<&Operation>| may_explain(attempts, read);
        initial.contains(value) || attempts.get(value).is_some_and(explains)
    };
    let seen = seen.into_iter().filter(|(value, read)| !is_explained(value, read));
    seen.filter(|(value, _)| told.insert(*value)).collect()
}

/// The elements of an answer that is to be an array.
fn elements(read: &Operation) -> Result<&[Datum], &Operation> {
    read.result().as_array().ok_or(read)
}

/// The check of that name.
pub(crate) fn named(name: &str) -> Option<&'static dyn Check> {
    ALL.iter().copied().find(|check| check.name() == name)
}

/// Runs a check on each object of a history.
pub(crate) fn run(
    check: &dyn Check,
    history: &History,
    options: &Options,
) -> Result<(CheckResult, Vec<Violation>), Misfit> {
    let of_header = history.header().map_or(&Value::Null, |header| &header.initial);
    let initial = options.initial.as_ref().unwrap_or(of_header);
    let object = || Object { operations: Vec::new(), initial, options };
    let keys = if check.spans_keys() { &[None] } else { history.keys() };
    let mut objects: Vec<Object<'_>> = keys.iter().map(|_| object()).collect();
    for operation in history.operations() {
        let at = if check.spans_keys() { 0 } else { operation.key.0 as usize };
        objects[at].operations.push(operation);
    }
    let mut reports = Vec::new();
    for (object, key) in objects.iter().zip(keys) {
        let report = check
            .check(object)
            .map_err(|operation| Misfit::of(operation, check.name(), check.operations()))?;
        reports.push((key.as_deref(), report));
    }
    let (mut result, violations) = report::all(history, reports);
    result.stays = check.is_safety();
    Ok((result, violations))
}
