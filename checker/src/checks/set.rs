//! Sets that only grow and are read whole in the end: what was acknowledged is there, and what is
//! there was added (Jepsen's `set`).

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Check, Finding, Object, Report, elements, precedes};
use crate::history::{Completion, Datum, Operation};

/// `add` of an element, and `read`, answered with all of them; the last read counts.
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
        let Some(read) = object.ok("read").last() else {
            return Ok(Report::unknown("the set was never read"));
        };
        let seen: FxHashSet<&Datum> = elements(read)?.iter().collect();
        let before = |add: &&&Operation| precedes(add, read);
        let acknowledged = |element: &Datum| {
            let adds = adds.get(element).into_iter().flatten();
            adds.filter(|add| add.is_ok()).find(before).copied()
        };
        // What failed did not happen, and what began after the read is not what it saw.
        let may_be_there = |element: &Datum| {
            let mut adds = adds.get(element).into_iter().flatten();
            adds.any(|add| add.completion() != Completion::Fail && !precedes(read, add))
        };
        let mut lost: Vec<(&Datum, &Operation)> = (adds.keys().copied())
            .filter(|element| !seen.contains(element))
            .filter_map(|element| Some((element, acknowledged(element)?)))
            .collect();
        lost.sort_by_key(|(_, add)| add.invoked.index);
        let unexpected: Vec<&Datum> =
            elements(read)?.iter().filter(|element| !may_be_there(element)).collect();
        let there = || seen.iter().filter(|element| may_be_there(element));
        let mut report = Report::valid();
        report.set("attempt-count", adds.len());
        report.set("acknowledged-count", adds.keys().filter(|e| acknowledged(e).is_some()).count());
        report.set("ok-count", there().count());
        report.set("recovered-count", there().filter(|e| acknowledged(e).is_none()).count());
        report.list("lost", lost.iter().map(|(element, _)| *element));
        report.list("unexpected", unexpected.iter().copied());
        if let Some((element, add)) = lost.first() {
            report.find(Finding {
                name: "lost-element",
                count: lost.len(),
                witness: vec![add, read],
                why: format!("the add of {element} was acknowledged, and it is not there"),
            });
        }
        if let Some(element) = unexpected.first() {
            report.find(Finding {
                name: "unexpected-element",
                count: unexpected.len(),
                witness: [adds.get(element).and_then(|adds| adds.first()).copied(), Some(read)]
                    .into_iter()
                    .flatten()
                    .collect(),
                why: format!("no add of {element} can have happened, and it is there"),
            });
        }
        Ok(report)
    }
}
