//! How many operations succeeded, for each function (Jepsen's `stats`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Check, Object, Report};
use crate::history::{Completion, Operation};

/// Any operations.
pub(super) struct Stats;

/// How many ended in each way.
#[derive(Clone, Copy, Default)]
struct Counts {
    ok: usize,
    fail: usize,
    info: usize,
}

impl Check for Stats {
    fn name(&self) -> &'static str {
        "stats"
    }

    fn operations(&self) -> &'static str {
        "any operations"
    }

    fn spans_keys(&self) -> bool {
        true
    }

    /// Unknown if of some function no operation succeeded: what was never done shows nothing. So Jepsen defines
    /// it, although its own check calls that invalid.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        let mut by_function: BTreeMap<&str, Counts> = BTreeMap::new();
        for operation in &object.operations {
            let counts = by_function.entry(operation.f()).or_default();
            match operation.completion() {
                Completion::Ok => counts.ok += 1,
                Completion::Fail => counts.fail += 1,
                Completion::Info => counts.info += 1,
            }
        }
        let never: Vec<&str> =
            by_function.iter().filter(|(_, counts)| counts.ok == 0).map(|(f, _)| *f).collect();
        let mut report = match never.is_empty() {
            true => Report::valid(),
            false => {
                Report::unknown(format!("no operation of these succeeded: {}", never.join(", ")))
            }
        };
        let sum = |all: Counts, one: &Counts| Counts {
            ok: all.ok + one.ok,
            fail: all.fail + one.fail,
            info: all.info + one.info,
        };
        let all = by_function.values().fold(Counts::default(), sum);
        for (name, value) in all.fields() {
            report.set(&name, value);
        }
        let each = by_function.iter().map(|(f, counts)| {
            let mut fields = counts.fields();
            let verdict = if counts.ok > 0 { "valid" } else { "unknown" };
            fields.insert("verdict".to_owned(), verdict.into());
            ((*f).to_owned(), fields.into())
        });
        report.set("by-f", each.collect::<Map<String, Value>>());
        Ok(report)
    }
}

impl Counts {
    fn fields(&self) -> Map<String, Value> {
        let Counts { ok, fail, info } = self;
        let fields = [("count", ok + fail + info), ("ok-count", *ok), ("fail-count", *fail)];
        let fields = fields.into_iter().chain([("info-count", *info)]);
        fields.map(|(name, count)| (name.to_owned(), json!(count))).collect()
    }
}
