//! What is wrong with a history of logs, and what is only told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Finding, Report};
use crate::history::Operation;

/// An anomaly: what shows it, and why it is one.
type Instance<'h> = (Vec<&'h Operation>, String);

/// All anomalies by name.
#[derive(Default)]
pub struct Anomalies<'h> {
    wrong: BTreeMap<&'static str, Vec<Instance<'h>>>,
    /// How many are allowed.
    allowed: BTreeMap<&'static str, usize>,
}

impl<'h> Anomalies<'h> {
    /// Something that no log may do.
    pub fn wrong(&mut self, name: &'static str, witness: Vec<&'h Operation>, why: String) {
        self.wrong.entry(name).or_default().push((witness, why));
    }

    /// Something that is told and allowed.
    pub fn allow(&mut self, name: &'static str) {
        *self.allowed.entry(name).or_default() += 1;
    }

    /// Adds all to a report: allowed ones count, and make nothing wrong.
    pub fn tell(self, report: &mut Report<'h>) {
        let all: BTreeSet<&str> = self.wrong.keys().chain(self.allowed.keys()).copied().collect();
        for name in &all {
            let allowed = self.allowed.get(name).copied().unwrap_or(0);
            let wrong = self.wrong.get(name).map_or(0, Vec::len);
            report.set(&format!("{name}-count"), allowed + wrong);
        }
        report.set("error-types", all.into_iter().map(Value::from).collect::<Vec<_>>());
        let wrong = self.wrong.keys().map(|name| Value::from(*name));
        report.set("bad-error-types", wrong.collect::<Vec<_>>());
        for (name, instances) in self.wrong {
            let count = instances.len();
            if let Some((witness, why)) = instances.into_iter().next() {
                report.find(Finding { name, count, witness, why });
            }
        }
    }
}
