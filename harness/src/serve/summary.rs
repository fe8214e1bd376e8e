//! What the list shows of a run.

use serde_json::{Value, json};

use super::shelf::Shelf;
use crate::run::kept::Kept;
use crate::trend::{Measured, Metric};

/// One entry of the list.
pub fn of(shelf: &Shelf, run: &Kept) -> Value {
    let verdict = run.verdict.as_ref();
    let text = |name: &str| verdict.map_or(Value::Null, |verdict| verdict[name].clone());
    let mut measured = Measured::default();
    if let Some(verdict) = verdict {
        measured.add(verdict);
    }
    let names: Vec<&str> = verdict
        .and_then(|verdict| verdict["violations"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|one| one["name"].as_str())
        .collect();
    json!({
        "family": run.family,
        "name": run.name,
        "started": run.started,
        "target": run.target,
        "workload": run.workload,
        "open": shelf.is_open(run),
        "verdict": text("verdict"),
        "failed": verdict.is_some_and(|verdict| verdict["failure"].is_string()),
        "reason": text("reason"),
        "expect": text("expect"),
        "class": text("class"),
        "class_at_least": text("class_at_least"),
        "cap": text("cap"),
        "seed": text("seed"),
        "operations": text("operations"),
        "violations": names,
        "success": measured.figure(Metric::Success),
        "p99_ms": measured.figure(Metric::P99),
        "rto_ms": measured.figure(Metric::RtoMax),
    })
}
