//! Counters of replicas that agree in the end: each final read is the sum of all additions that
//! happened and of some of those that may have (Maelstrom's `pn-counter`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use super::report::whole;
use super::{Check, Finding, Object, Report, precedes};
use crate::history::{Completion, Operation, Phase};

/// `add` of a whole number, and `read`, answered with the sum. Only what each node answered last in
/// the final phase counts, or where there are no phases the reads after the last addition.
pub(super) struct PnCounter;

/// So many ranges of sums are made at most, by all additions together.
const RANGES: usize = 4_000_000;

impl Check for PnCounter {
    fn name(&self) -> &'static str {
        "pn-counter"
    }

    fn operations(&self) -> &'static str {
        "add of a whole number; read, answered with one"
    }

    /// An addition that was over before a read began counts, one that began after it was over does
    /// not, and every other may.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let happened = object.operations.iter().filter(|op| op.completion() != Completion::Fail);
        let mut adds: Vec<(i64, &Operation)> = Vec::new();
        for &add in happened.filter(|op| op.f() == "add") {
            adds.push((add.argument().as_i64().ok_or(add)?, add));
        }
        let mut reads = object.final_reads();
        if !object.operations.iter().any(|op| op.phase == Some(Phase::Final)) {
            let ends = adds.iter().map(|(_, add)| add.completed().unwrap_or(add.invoked));
            let last_end = ends.max();
            reads = object.ok("read").filter(|read| Some(read.invoked) > last_end).collect();
        }
        let mut sums = Sums { left: RANGES, of: BTreeMap::new() };
        let mut wrong = Vec::new();
        let mut acceptable = Vec::new();
        for &read in &reads {
            let found = i128::from(read.result().as_i64().ok_or(read)?);
            let mut certain = i128::from(object.initial.as_i64().unwrap_or(0));
            let mut optional = Vec::new();
            for (delta, add) in adds.iter().filter(|(_, add)| !precedes(read, add)) {
                match add.is_ok() && precedes(add, read) {
                    true => certain += i128::from(*delta),
                    false => optional.push(i128::from(*delta)),
                }
            }
            optional.sort_unstable();
            let Some(ranges) = sums.of(optional) else {
                return Ok(Report::unknown(format!(
                    "budget: additions of which nobody knows whether they count make more than \
                     {RANGES} ranges of sums"
                )));
            };
            let is_wrong =
                !ranges.iter().any(|[from, to]| (from..=to).contains(&&(found - certain)));
            // What is told of all is told of the first wrong one.
            if acceptable.is_empty() || (is_wrong && wrong.is_empty()) {
                acceptable = ranges.iter().map(|range| range.map(|sum| sum + certain)).collect();
            }
            wrong.extend(is_wrong.then_some(read));
        }
        if reads.is_empty() {
            return Ok(Report::unknown("there was no final read"));
        }
        let values = |reads: &[&Operation]| -> Vec<Value> {
            reads.iter().take(48).map(|read| read.result().into()).collect()
        };
        let mut report = Report::valid();
        report.set("final-read-count", reads.len());
        report.set("error-count", wrong.len());
        report.set("final-reads", values(&reads));
        report.set("errors", values(&wrong));
        let shown = acceptable.iter().take(48).map(|range| range.map(whole).to_vec().into());
        report.set("acceptable", shown.collect::<Vec<Value>>());
        if let Some(read) = wrong.first() {
            let text = |[from, to]: &[i128; 2]| match from == to {
                true => from.to_string(),
                false => format!("{from} to {to}"),
            };
            let shown: Vec<String> = acceptable.iter().take(3).map(text).collect();
            let more = if acceptable.len() > 3 { " or others" } else { "" };
            report.find(Finding {
                name: "wrong-sum",
                count: wrong.len(),
                witness: vec![read],
                why: format!("all additions together make {}{more}", shown.join(" or ")),
            });
        }
        Ok(report)
    }
}

/// The first and the last of sums in a row.
type Ranges = Vec<[i128; 2]>;

/// What some of several numbers can make together.
struct Sums {
    /// So many more ranges are made.
    left: usize,
    of: BTreeMap<Vec<i128>, Ranges>,
}

impl Sums {
    /// The sums of any part of these, in order; nothing if they are too many ranges.
    fn of(&mut self, deltas: Vec<i128>) -> Option<&Ranges> {
        match self.of.entry(deltas) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => {
                let mut ranges = vec![[0, 0]];
                for delta in new.key() {
                    ranges = with(&ranges, *delta);
                    self.left = self.left.checked_sub(ranges.len())?;
                }
                Some(new.insert(ranges))
            }
        }
    }
}

/// These sums, and those with one more number.
fn with(ranges: &Ranges, delta: i128) -> Ranges {
    let mut all = ranges.clone();
    all.extend(ranges.iter().map(|range| range.map(|sum| sum + delta)));
    // Two rows that are each in order: a merge.
    all.sort();
    let mut joined: Ranges = Vec::with_capacity(all.len());
    for [from, to] in all {
        match joined.last_mut() {
            Some([_, last]) if from <= *last + 1 => *last = to.max(*last),
            _ => joined.push([from, to]),
        }
    }
    joined
}
