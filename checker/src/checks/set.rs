//! Sets that only grow and are read whole in the end: what was acknowledged is there, and what is
//! there was added (Jepsen's `set`).

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Check, Finding, Object, Report, elements, precedes};
use crate::history::{Completion, Datum, Operation};

/// `add` of an element, and `read`, answered with all of them. What counts is what each node
/// answered last in the final phase, or where that was not recorded the last read.
pub(super) struct Set;

impl Check for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn operations(&self) -> &'static str {
        "add of an element; read, answered with an array"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let mut adds: FxHashMap<&Datum, Vec<&'h Operation>> = FxHashMap::default();
        for &add in object.operations.iter().filter(|op| op.f() == "add") {
            adds.entry(add.argument()).or_default().push(add);
        }
        let mut reads = object.final_reads();
        if reads.is_empty() {
            reads.extend(object.ok("read").last());
        }
        let (Some(first), Some(last)) = (reads.first().copied(), reads.last().copied()) else {
            return Ok(Report::unknown("the set was never read"));
        };
        let mut seen: FxHashMap<&Datum, (usize, &'h Operation)> = FxHashMap::default();
        for read in &reads {
            let distinct: FxHashSet<&Datum> = elements(read)?.iter().collect();
            for element in distinct {
                seen.entry(element).or_insert((0, *read)).0 += 1;
            }
        }
        let is_everywhere =
            |element: &Datum| seen.get(element).is_some_and(|(times, _)| *times == reads.len());
        let acknowledged = |element: &Datum| {
            let adds = adds.get(element).into_iter().flatten();
            adds.filter(|add| add.is_ok()).find(|add| precedes(add, first)).copied()
        };
        // What failed did not happen, and what began after the reads is not what they saw.
        let may_be_there = |element: &Datum| {
            let mut adds = adds.get(element).into_iter().flatten();
            adds.any(|add| add.completion() != Completion::Fail && !precedes(last, add))
        };
        let mut lost: Vec<(&Datum, &Operation)> = (adds.keys().copied())
            .filter(|element| !is_everywhere(element))
            .filter_map(|element| Some((element, acknowledged(element)?)))
            .collect();
        lost.sort_by_key(|(_, add)| add.invoked.index);
        let mut unexpected: Vec<(&Datum, &Operation)> = (seen.iter())
            .filter(|(element, _)| !may_be_there(element))
            .map(|(element, (_, read))| (*element, *read))
            .collect();
        unexpected.sort_by_cached_key(|(element, read)| {
            (read.invoked, elements(read).unwrap_or_default().iter().position(|at| at == *element))
        });
        let there = || seen.keys().filter(|e| may_be_there(e) && is_everywhere(e));
        let mut report = Report::valid();
        report.set("attempt-count", adds.len());
        report.set("acknowledged-count", adds.keys().filter(|e| acknowledged(e).is_some()).count());
        report.set("ok-count", there().count());
        report.set("recovered-count", there().filter(|e| acknowledged(e).is_none()).count());
        report.list("lost", lost.iter().map(|(element, _)| *element));
        report.list("unexpected", unexpected.iter().map(|(element, _)| *element));
        if let Some((element, add)) = lost.first() {
            let misses = |read: &&&Operation| !elements(read).unwrap_or_default().contains(element);
            report.find(Finding {
                name: "lost-element",
                count: lost.len(),
                witness: [Some(*add), reads.iter().find(misses).copied()]
                    .into_iter()
                    .flatten()
                    .collect(),
                why: format!("the add of {element} was acknowledged, and it is not there"),
            });
        }
        if let Some((element, read)) = unexpected.first() {
            report.find(Finding {
                name: "unexpected-element",
                count: unexpected.len(),
                witness: [adds.get(element).and_then(|adds| adds.first()).copied(), Some(*read)]
                    .into_iter()
                    .flatten()
                    .collect(),
                why: format!("no add of {element} can have happened, and it is there"),
            });
        }
        Ok(report)
    }
}
