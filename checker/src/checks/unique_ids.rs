//! Identifiers that are to be unique (Jepsen's `unique-ids`).

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::{Check, Finding, Object, Report};
use crate::history::{Datum, Operation};

/// `generate`, answered with an identifier.
pub(super) struct UniqueIds;

impl Check for UniqueIds {
    fn name(&self) -> &'static str {
        "unique-ids"
    }

    fn operations(&self) -> &'static str {
        "generate, answered with an identifier"
    }

    fn is_safety(&self) -> bool {
        true
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["generate"])?;
        let mut given: FxHashMap<&Datum, Vec<&'h Operation>> = FxHashMap::default();
        for generate in object.ok("generate") {
            if generate.result().is_null() {
                return Err(generate);
            }
            given.entry(generate.result()).or_default().push(generate);
        }
        let mut twice: Vec<(&Datum, &Vec<&Operation>)> =
            given.iter().filter(|(_, by)| by.len() > 1).map(|(id, by)| (*id, by)).collect();
        twice.sort_by_key(|(_, by)| by[1].invoked.index);
        let mut report = Report::valid();
        report.set("attempted-count", object.operations.len());
        report.set("acknowledged-count", object.ok("generate").count());
        report.set("duplicated-count", twice.len());
        let times = |(id, by): &(&Datum, &Vec<&Operation>)| (id.to_string(), by.len().into());
        let duplicated: Map<String, Value> = twice.iter().take(48).map(times).collect();
        report.set("duplicated", duplicated);
        let numbers = || given.keys().filter_map(|id| id.as_i64());
        if let (Some(lowest), Some(highest)) = (numbers().min(), numbers().max()) {
            report.set("range", vec![lowest, highest]);
        }
        if let Some((id, by)) = twice.first() {
            report.find(Finding {
                name: "duplicate-id",
                count: twice.len(),
                witness: by[..2].to_vec(),
                why: format!("{id} was given out {} times", by.len()),
            });
        }
        Ok(report)
    }
}
