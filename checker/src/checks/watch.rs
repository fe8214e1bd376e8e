//! Streams of the changes of a key (the `watch` workload of Jepsen's etcd tests): revisions only grow,
//! and every watcher is told the same changes from the first to the last of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Check, Finding, Object, Report, elements, may_explain};
use crate::history::{Datum, NodeId, Operation};

/// `write` of a value, and `watch`, answered with an array of the changes that this watcher has not
/// been told yet, each `[revision, value]`. A watcher is a process at a node.
pub(super) struct Watch;

/// A change, and who was told it.
type Told<'h> = (u64, &'h Datum, &'h Operation);

/// Changes by revision; of several at one the first.
type Changes<'h> = BTreeMap<u64, Change<'h>>;

/// A value, and where it was told.
type Change<'h> = (&'h Datum, &'h Operation);

/// A change, and how many were told it.
type Vote<'h> = (Change<'h>, usize);

impl Check for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn operations(&self) -> &'static str {
        "write of a value; watch, answered with an array of [revision, value]"
    }

    /// A watcher may begin at any revision and may not have come to the end yet: it is compared only
    /// from its first to its last. What was told was written before, where the history has writes.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["write", "watch"])?;
        let mut logs: BTreeMap<(u64, Option<NodeId>), Vec<Told<'h>>> = BTreeMap::new();
        for watch in object.ok("watch") {
            let log = logs.entry((watch.process, watch.node())).or_default();
            for change in elements(watch)? {
                log.push((change[0].as_u64().ok_or(watch)?, &change[1], watch));
            }
        }
        let told: Vec<Changes<'h>> = logs.values().map(|log| by_revision(log)).collect();
        let most = what_most_were_told(&told);
        let (mut nonmonotonic, mut deltas) = (Vec::new(), Vec::new());
        for (((thread, _), log), own) in logs.iter().zip(&told) {
            let back = log.windows(2).filter(|pair| pair[1].0 <= pair[0].0);
            nonmonotonic.extend(back.map(|pair| (*thread, pair[0], pair[1])));
            let different = differences(own, &most);
            if let Some(first) = different.first() {
                let witness = [own.get(first), most.get(first), next(own, *first)];
                let witness: Vec<&Operation> =
                    witness.iter().flatten().map(|told| told.1).collect();
                deltas.push((*thread, *first, different.len(), witness));
            }
        }
        let ends = logs.values().filter_map(|log| log.last()).map(|told| told.0);
        let mut report = match most.is_empty() {
            true => Report::unknown("no change was watched"),
            false => Report::valid(),
        };
        report.set("watcher-count", logs.len());
        report.set("change-count", most.len());
        report.set("revisions", ends.max().map_or(Value::Null, Value::from));
        report.set("delta-count", deltas.len());
        let delta = |(thread, _, distance, _): &(u64, u64, usize, Vec<&Operation>)| json!({"thread": thread, "edit-distance": distance});
        report.set("deltas", deltas.iter().take(48).map(delta).collect::<Vec<Value>>());
        report.set("nonmonotonic-count", nonmonotonic.len());
        let error = |(thread, one, other): &(u64, Told<'_>, Told<'_>)| json!({"thread": thread, "revisions": [one.0, other.0]});
        let errors = nonmonotonic.iter().take(48).map(error);
        report.set("nonmonotonic-errors", errors.collect::<Vec<Value>>());
        if let Some((_, one, other)) = nonmonotonic.first() {
            report.find(Finding {
                name: "nonmonotonic-watch",
                count: nonmonotonic.len(),
                witness: vec![one.2, other.2],
                why: format!("revision {} came after {}", other.0, one.0),
            });
        }
        if let Some((thread, first, _, witness)) = deltas.first() {
            report.find(Finding {
                name: "watch-divergence",
                count: deltas.len(),
                witness: witness.clone(),
                why: format!(
                    "process {thread} was told something else at revision {first} than others"
                ),
            });
        }
        let unwritten = unwritten(object, logs.values().flatten());
        report.list("unexpected", unwritten.iter().map(|(_, value, _)| *value));
        if let Some((revision, value, watch)) = unwritten.first() {
            report.find(Finding {
                name: "unexpected-change",
                count: unwritten.len(),
                witness: vec![watch],
                why: format!(
                    "revision {revision} is {value}, which nobody can have written before"
                ),
            });
        }
        Ok(report)
    }
}

fn by_revision<'h>(log: &[Told<'h>]) -> Changes<'h> {
    log.iter().rev().map(|(revision, value, watch)| (*revision, (*value, *watch))).collect()
}

/// From the first to the last revision that a watcher was told.
fn span(own: &Changes<'_>) -> Option<std::ops::RangeInclusive<u64>> {
    Some(*own.keys().next()?..=*own.keys().next_back()?)
}

fn next<'a, 'h>(own: &'a Changes<'h>, after: u64) -> Option<&'a Change<'h>> {
    own.range(after..).next().map(|(_, told)| told)
}

/// At each revision what more watchers than not were told, of those that were told something before
/// and after it.
fn what_most_were_told<'h>(told: &[Changes<'h>]) -> Changes<'h> {
    let mut votes: BTreeMap<u64, Vec<Vote<'h>>> = BTreeMap::new();
    for (revision, change) in told.iter().flatten() {
        let votes = votes.entry(*revision).or_default();
        match votes.iter_mut().find(|((value, _), _)| *value == change.0) {
            Some((_, count)) => *count += 1,
            None => votes.push((*change, 1)),
        }
    }
    let spans: Vec<_> = told.iter().filter_map(span).collect();
    let most = |(revision, votes): (u64, Vec<Vote<'h>>)| {
        let asked = spans.iter().filter(|span| span.contains(&revision)).count();
        let answered: usize = votes.iter().map(|(_, count)| count).sum();
        // Of as many the first.
        let first = votes.into_iter().rev().max_by_key(|(_, count)| *count)?;
        (2 * answered >= asked).then_some((revision, first.0))
    };
    votes.into_iter().filter_map(most).collect()
}

/// The revisions from a watcher's first to its last at which it was not told what most were.
fn differences(own: &Changes<'_>, most: &Changes<'_>) -> BTreeSet<u64> {
    let Some(span) = span(own) else { return BTreeSet::new() };
    let value = |changes: &Changes<'_>, at: u64| changes.get(&at).map(|told| told.0.clone());
    let all = own.keys().chain(most.range(span).map(|(revision, _)| revision));
    all.copied().filter(|at| value(own, *at) != value(most, *at)).collect()
}

/// What was told that no write can have made, and that was not there at first; nothing where no
/// write was recorded.
fn unwritten<'a, 'h>(object: &Object<'h>, told: impl Iterator<Item = &'a Told<'h>>) -> Vec<Told<'h>>
where
    'h: 'a,
{
    let writes = object.attempts("write");
    let is_made = |(_, value, watch): &Told<'_>| {
        let of_it = writes.get(value).map_or(&[][..], Vec::as_slice);
        Value::from(*value) == *object.initial || may_explain(of_it, watch)
    };
    let mut seen = BTreeSet::new();
    told.copied()
        .filter(|told| !writes.is_empty() && !is_made(told))
        .filter(|(revision, ..)| seen.insert(*revision))
        .collect()
}
