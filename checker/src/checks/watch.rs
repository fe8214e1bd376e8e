//! Streams of the changes of a key (the `watch` workload of Jepsen's etcd tests): revisions only grow,
//! and every watcher is told the same changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Check, Finding, Object, Report, elements};
use crate::history::{Datum, NodeId, Operation};

/// `write` of a value, and `watch`, answered with an array of the changes that this watcher has not
/// been told yet, each `[revision, value]`. A watcher is a process at a node.
pub(super) struct Watch;

/// A change, and who was told it.
type Told<'h> = (u64, &'h Datum, &'h Operation);

/// So many symbols are compared with as many others at most.
const COMPARED: usize = 2_000;

impl Check for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn operations(&self) -> &'static str {
        "write of a value; watch, answered with an array of [revision, value]"
    }

    /// A watcher that has not come to the end yet is compared as far as it has come.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["write", "watch"])?;
        let mut logs: BTreeMap<(u64, Option<NodeId>), Vec<Told<'h>>> = BTreeMap::new();
        for watch in object.ok("watch") {
            let log = logs.entry((watch.process, watch.node())).or_default();
            for change in elements(watch)? {
                log.push((change[0].as_u64().ok_or(watch)?, &change[1], watch));
            }
        }
        let canonical: Vec<Told<'_>> =
            logs.values().max_by_key(|log| log.len()).cloned().unwrap_or_default();
        let (mut nonmonotonic, mut deltas) = (Vec::new(), Vec::new());
        for ((thread, _), log) in &logs {
            let back = log.windows(2).filter(|pair| pair[1].0 <= pair[0].0);
            nonmonotonic.extend(back.map(|pair| (*thread, pair[0], pair[1])));
            let same = stretch(&canonical, log);
            let plain = |log: &[Told<'h>]| -> Vec<(u64, &'h Datum)> {
                log.iter().map(|(revision, value, _)| (*revision, *value)).collect()
            };
            let (one, other) = (plain(log), plain(same));
            if let Some(at) = first_difference(&one, &other) {
                let witness = [log.get(at), same.get(at)].into_iter().flatten().map(|told| told.2);
                let witness: Vec<&Operation> = witness.collect();
                deltas.push((*thread, distance(&one[at..], &other[at..]), witness));
            }
        }
        let ends = logs.values().filter_map(|log| log.last()).map(|told| told.0);
        let mut report = match canonical.is_empty() {
            true => Report::unknown("no change was watched"),
            false => Report::valid(),
        };
        report.set("watcher-count", logs.len());
        report.set("change-count", canonical.len());
        report.set("revisions", ends.max().map_or(Value::Null, Value::from));
        report.set("delta-count", deltas.len());
        let delta = |(thread, distance, _): &(u64, usize, Vec<&Operation>)| json!({"thread": thread, "edit-distance": distance});
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
        if let Some((_, distance, witness)) = deltas.first() {
            report.find(Finding {
                name: "watch-divergence",
                count: deltas.len(),
                witness: witness.clone(),
                why: format!("two watchers were told different changes, {distance} edits apart"),
            });
        }
        Ok(report)
    }
}

/// Of the changes that most were told those that a watcher was told of: from its first to its last
/// revision.
fn stretch<'a, 'h>(canonical: &'a [Told<'h>], log: &[Told<'h>]) -> &'a [Told<'h>] {
    let revisions = || log.iter().map(|told| told.0);
    let (Some(first), Some(last)) = (revisions().min(), revisions().max()) else { return &[] };
    let within = |told: &Told<'_>| (first..=last).contains(&told.0);
    let from = canonical.iter().position(within).unwrap_or(0);
    let to = canonical.iter().rposition(within).map_or(from, |at| at + 1);
    &canonical[from..to]
}

fn first_difference<T: PartialEq>(one: &[T], other: &[T]) -> Option<usize> {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    (same < one.len() || same < other.len()).then_some(same)
}

/// How many changes have to be put in, left out or replaced to make one of the other (Levenshtein);
/// of long streams the beginning is compared.
fn distance<T: PartialEq>(one: &[T], other: &[T]) -> usize {
    let other = &other[..other.len().min(COMPARED)];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, symbol) in one.iter().take(COMPARED).enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(symbol != wanted);
            diagonal = row[to + 1];
            row[to + 1] = replaced.min(row[to].min(row[to + 1]) + 1);
        }
    }
    row[other.len()]
}
