//! Chains of operations on a register, each after the one before it (Jepsen's `causal`): a write makes
//! what was there one more, and a read sees the write before it.

use serde_json::{Value, json};

use super::{Check, Finding, Object, Report, precedes};
use crate::history::{Completion, Datum, Operation};

/// `read-init`, before the first write, then `write` of 1, 2, and so on, and `read`. Whoever asks
/// next waits for the answer and tells what depends on it, so the chain is one session.
pub(super) struct Causal;

impl Check for Causal {
    fn name(&self) -> &'static str {
        "causal"
    }

    fn operations(&self) -> &'static str {
        "read-init and read, answered with a whole number or null; write of the next whole number"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["read-init", "read", "write"])?;
        let number = |op: &'h Operation, value: &Datum| match value {
            Datum::Null => Ok(0),
            value => value.as_i64().ok_or(op),
        };
        let mut last_write: Option<&Operation> = None;
        let mut value = 0;
        // What may have been written, or may yet be, whenever it is.
        let mut open: Vec<(i64, &Operation)> = Vec::new();
        let mut wrong = Vec::new();
        let chain = chain(&object.operations);
        // What began before another was over is in no order with it.
        if chain.windows(2).any(|pair| pair[0].is_ok() && !precedes(pair[0], pair[1])) {
            return Ok(Report::unknown("the operations are no chain: two overlap"));
        }
        for op in chain {
            if op.f() == "write" {
                let written = number(op, op.argument())?;
                let before = [value].into_iter().chain(open.iter().map(|(value, _)| *value));
                if !before.into_iter().any(|before| before.checked_add(1) == Some(written)) {
                    return Ok(Report::unknown(format!("{written} was written after {value}")));
                }
                match op.is_ok() {
                    true => (value, last_write) = (written, Some(op)),
                    false => open.push((written, op)),
                }
            } else {
                let found = number(op, op.result())?;
                if let Some(at) = open.iter().position(|(open, _)| found != value && *open == found)
                {
                    // So it was written meanwhile, and is not written again.
                    let (written, write) = open.remove(at);
                    (value, last_write) = (written, Some(write));
                } else if found != value {
                    wrong.push((op, last_write, value, found));
                }
            }
        }
        let mut report = Report::valid();
        let count = |f: &str| object.ok(f).count();
        report.set("read-count", count("read") + count("read-init"));
        report.set("write-count", count("write"));
        report.set("error-count", wrong.len());
        let error = |(op, _, expected, found): &(&Operation, _, i64, i64)| json!({"index": op.invoked.index, "expected": expected, "read": found});
        report.set("errors", wrong.iter().map(error).collect::<Vec<Value>>());
        if let Some((op, write, expected, found)) = wrong.first() {
            report.find(Finding {
                name: "causal-violation",
                count: wrong.len(),
                witness: write.iter().copied().chain([*op]).collect(),
                why: format!("{found} was read where {expected} was there for whoever asked"),
            });
        }
        Ok(report)
    }
}

/// What certainly happened, and the writes that may have.
fn chain<'h>(operations: &[&'h Operation]) -> Vec<&'h Operation> {
    let may_be = |op: &&Operation| op.f() == "write" && op.completion() == Completion::Info;
    operations.iter().copied().filter(|op| op.is_ok() || may_be(op)).collect()
}
