//! Counters of replicas that agree in the end: each final read is the sum of all additions that
//! happened and of some of those that may have (Maelstrom's `pn-counter`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, Finding, Object, Report, precedes};
use crate::history::{Completion, Operation, Phase};

/// `add` of a whole number, and `read`, answered with the sum. Only what each node answered last in
/// the final phase counts, or where there are no phases the reads after the last addition.
pub(super) struct PnCounter;

/// More sums than this are not told apart.
const SUMS: usize = 1_000_000;

impl Check for PnCounter {
    fn name(&self) -> &'static str {
        "pn-counter"
    }

    fn operations(&self) -> &'static str {
        "add of a whole number; read, answered with one"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let happened = object.operations.iter().filter(|op| op.completion() != Completion::Fail);
        let adds: Vec<&Operation> = happened.filter(|op| op.f() == "add").copied().collect();
        let mut reads = object.final_reads();
        if !object.operations.iter().any(|op| op.phase == Some(Phase::Final)) {
            let last_end = adds.iter().map(|add| add.completed().unwrap_or(add.invoked)).max();
            reads = object.ok("read").filter(|read| Some(read.invoked) > last_end).collect();
        }
        let mut sums = BTreeSet::from([object.initial.as_i64().unwrap_or(0)]);
        // What is added later, when it is known how all ended, no read has seen.
        for add in adds.into_iter().filter(|add| reads.iter().any(|read| !precedes(read, add))) {
            let delta = add.argument().as_i64().ok_or(add)?;
            let with = sums.iter().map(|sum| sum + delta);
            sums = if add.is_ok() {
                with.collect()
            } else {
                with.chain(sums.iter().copied()).collect()
            };
            if sums.len() > SUMS {
                return Ok(Report::unknown(format!("more than {SUMS} sums are possible")));
            }
        }
        if reads.is_empty() {
            return Ok(Report::unknown("there was no final read"));
        }
        let mut wrong = Vec::new();
        for &read in &reads {
            if !sums.contains(&read.result().as_i64().ok_or(read)?) {
                wrong.push(read);
            }
        }
        let values = |reads: &[&Operation]| -> Vec<Value> {
            reads.iter().take(48).map(|read| read.result().into()).collect()
        };
        let ranges = ranges(&sums);
        let mut report = Report::valid();
        report.set("final-read-count", reads.len());
        report.set("error-count", wrong.len());
        report.set("final-reads", values(&reads));
        report.set("errors", values(&wrong));
        report.set(
            "acceptable",
            ranges.iter().take(48).map(|r| Value::from(r.to_vec())).collect::<Vec<_>>(),
        );
        if let Some(read) = wrong.first() {
            let shown: Vec<String> = ranges
                .iter()
                .take(3)
                .map(
                    |[from, to]| {
                        if from == to { from.to_string() } else { format!("{from} to {to}") }
                    },
                )
                .collect();
            let more = if ranges.len() > 3 { " or others" } else { "" };
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

/// Numbers in a row as their first and last.
fn ranges(sums: &BTreeSet<i64>) -> Vec<[i64; 2]> {
    let mut ranges: Vec<[i64; 2]> = Vec::new();
    for &sum in sums {
        match ranges.last_mut() {
            Some([_, to]) if *to + 1 == sum => *to = sum,
            _ => ranges.push([sum, sum]),
        }
    }
    ranges
}
