//! Long forks: two reads that see two writes in opposite orders, which parallel snapshot isolation
//! allows and snapshot isolation does not (Sovran et al. 2011; Jepsen's `long-fork`).

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use super::{Check, Finding, Object, Report};
use crate::history::steps::{Action, Step};
use crate::history::{Completion, Operation};

/// `write` of `[["w", KEY, VALUE]]`, no key twice, and `read` of a group of keys,
/// `[["r", KEY, null], ...]`, answered with the values.
pub(super) struct LongFork;

impl Check for LongFork {
    fn name(&self) -> &'static str {
        "long-fork"
    }

    fn operations(&self) -> &'static str {
        "write of [[\"w\", KEY, VALUE]]; read of [[\"r\", KEY, null], ...], answered with the values"
    }

    fn is_safety(&self) -> bool {
        true
    }

    /// Of the reads of one group of keys each sees a part of the writes; of any two, one sees all
    /// that the other does. `O(n)` reads, compared by what they saw.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["write", "read", "txn"])?;
        let mut written = FxHashSet::default();
        let mut groups: BTreeMap<Vec<String>, BTreeMap<Vec<bool>, &'h Operation>> = BTreeMap::new();
        let [mut reads, mut early, mut late] = [0; 3];
        for &op in &object.operations {
            let steps = if op.is_ok() { op.result() } else { op.argument() };
            let steps = steps.as_steps().ok_or(op)?;
            let is_write = steps.iter().any(|step| step.action == Action::Write);
            if is_write {
                for step in steps.iter() {
                    let key = step.key.value().to_string();
                    if op.completion() != Completion::Fail && !written.insert(key.clone()) {
                        return Ok(Report::unknown(format!("key {key} was written twice")));
                    }
                }
                continue;
            }
            if !op.is_ok() {
                continue;
            }
            let saw: BTreeMap<String, bool> =
                steps.iter().map(seen).collect::<Option<_>>().ok_or(op)?;
            reads += 1;
            early += usize::from(saw.values().all(|seen| !seen));
            late += usize::from(saw.values().all(|seen| *seen));
            let (keys, saw) = saw.into_iter().unzip();
            groups.entry(keys).or_default().entry(saw).or_insert(op);
        }
        let forks: Vec<[&Operation; 2]> = groups.values().flat_map(forks_of).collect();
        let mut report = Report::valid();
        report.set("read-count", reads);
        report.set("early-read-count", early);
        report.set("late-read-count", late);
        report.set("fork-count", forks.len());
        let value =
            |op: &Operation| json!({"index": op.invoked.index, "value": Value::from(op.result())});
        let listed: Vec<Value> =
            forks.iter().take(48).map(|pair| pair.map(value).to_vec().into()).collect();
        report.set("forks", listed);
        if let Some([one, other]) = forks.first() {
            report.find(Finding {
                name: "long-fork",
                count: forks.len(),
                witness: vec![one, other],
                why: "each of the two saw a write that the other did not, so the writes came in \
                      opposite orders for them"
                    .to_owned(),
            });
        }
        Ok(report)
    }
}

fn seen(step: Step<'_>) -> Option<(String, bool)> {
    (step.action == Action::Read).then(|| (step.key.value().to_string(), !step.content.is_null()))
}

/// Pairs of which neither saw all that the other saw; one for each pair of different views.
fn forks_of<'h>(views: &BTreeMap<Vec<bool>, &'h Operation>) -> Vec<[&'h Operation; 2]> {
    let more =
        |one: &[bool], other: &[bool]| one.iter().zip(other).any(|(one, other)| *one && !other);
    let views: Vec<_> = views.iter().collect();
    let mut forks = Vec::new();
    for (at, (one, by)) in views.iter().enumerate() {
        for (other, by_other) in &views[at + 1..] {
            if more(one, other) && more(other, one) {
                forks.push([**by, **by_other]);
            }
        }
    }
    forks
}
