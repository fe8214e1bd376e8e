//! Reversed effects: a read that sees a write but not one that was over before that write began,
//! which strict serializability forbids and serializability does not (Jepsen's `causal-reverse`).

use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use super::{Check, Finding, Object, Report, elements, unexplained};
use crate::history::{Completion, Datum, Operation};

/// `write` of a value, each once, and `read`, answered with all values that are there.
pub(super) struct CausalReverse;

impl Check for CausalReverse {
    fn name(&self) -> &'static str {
        "causal-reverse"
    }

    fn operations(&self) -> &'static str {
        "write of a value, each once; read, answered with an array"
    }

    fn is_safety(&self) -> bool {
        true
    }

    /// What a read has to see is all that was acknowledged before the last of the writes began
    /// which it saw.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["write", "read"])?;
        let writes = object.attempts("write");
        let mut seen = Vec::new();
        let mut done: Vec<&Operation> = object.ok("write").collect();
        done.sort_by_key(|write| write.completed());
        let mut wrong = Vec::new();
        let may_be = |write: &&&'h Operation| write.completion() != Completion::Fail;
        for read in object.ok("read") {
            let there: FxHashSet<&Datum> = elements(read)?.iter().collect();
            seen.extend(elements(read)?.iter().map(|value| (value, read)));
            // A write that was tried again may have been seen from the first attempt on.
            let known = there.iter().filter_map(|value| writes.get(*value)?.iter().find(may_be));
            let Some(newest) = known.max_by_key(|write| write.invoked) else { continue };
            let before = done.partition_point(|write| write.completed() < Some(newest.invoked));
            let missing: Vec<&Operation> = (done[..before].iter().copied())
                .filter(|write| !there.contains(write.argument()))
                .collect();
            if !missing.is_empty() {
                wrong.push((read, *newest, missing, before));
            }
        }
        let unexpected = unexplained(object, &writes, seen);
        let mut report = Report::valid();
        report.set("read-count", object.ok("read").count());
        report.set("error-count", wrong.len());
        let of =
            |(read, _, missing, expected): &(&Operation, &Operation, Vec<&Operation>, usize)| {
                let missing: Vec<Value> =
                    missing.iter().take(48).map(|w| w.argument().into()).collect();
                json!({"index": read.invoked.index, "missing": missing, "expected-count": expected})
            };
        report.set("errors", wrong.iter().take(48).map(of).collect::<Vec<Value>>());
        if let Some((read, newest, missing, _)) = wrong.first() {
            report.find(Finding {
                name: "causal-reverse",
                count: wrong.len(),
                witness: vec![missing[0], newest, read],
                why: format!(
                    "the write of {} was over before that of {} began, and only the later one is seen",
                    missing[0].argument(),
                    newest.argument()
                ),
            });
        }
        report.list("unexpected", unexpected.iter().map(|(value, _)| *value));
        if let Some((value, read)) = unexpected.first() {
            report.find(Finding {
                name: "unexpected-element",
                count: unexpected.len(),
                witness: writes
                    .get(value)
                    .and_then(|w| w.first())
                    .into_iter()
                    .chain([read])
                    .copied()
                    .collect(),
                why: format!("no write of {value} can have happened, and it is there"),
            });
        }
        Ok(report)
    }
}
