//! What a check says, of one object and of all.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::history::{Datum, History, Operation};
use crate::tell::Teller;
use crate::verdict::Verdict;
use crate::violation::Violation;

/// More than this many of a kind are counted but not listed, as in Jepsen's results.
const LISTED: usize = 48;
/// The results of so many objects that are not valid are kept.
const OBJECTS: usize = 8;

/// What a check says of a history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckResult {
    /// Whether nothing was found that the check looks for.
    pub verdict: Verdict,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of one object all results, of several the sums of all counts.
    #[serde(flatten)]
    pub results: Map<String, Value>,
    /// The results of objects that are not valid, by key, if there are several objects: the first
    /// eight.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, Value>,
    /// Whether it stays invalid, if it is, however the history goes on.
    #[serde(skip)]
    pub stays: bool,
}

impl CheckResult {
    /// How many there are of each kind, such as `lost`.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.results.iter();
        counts.filter_map(|(name, value)| name.strip_suffix("-count").zip(value.as_u64()))
    }
}

/// What a check says of one object.
pub(crate) struct Report<'h> {
    pub verdict: Verdict,
    results: Map<String, Value>,
    pub findings: Vec<Finding<'h>>,
}

/// One kind of anomaly, shown by one instance.
pub(crate) struct Finding<'h> {
    /// Its name.
    pub name: &'static str,
    /// How many there are.
    pub count: usize,
    /// The operations that prove it.
    pub witness: Vec<&'h Operation>,
    /// What is wrong with them.
    pub why: String,
}

impl<'h> Report<'h> {
    /// Nothing is wrong so far.
    pub fn valid() -> Report<'h> {
        Report { verdict: Verdict::Valid, results: Map::new(), findings: Vec::new() }
    }

    /// The question cannot be answered.
    pub fn unknown(reason: impl Into<String>) -> Report<'h> {
        Report { verdict: Verdict::unknown(reason), ..Report::valid() }
    }

    /// Adds a result.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.results.insert(name.to_owned(), value.into());
    }

    /// Adds how many there are of a kind, and which.
    pub fn list<'d>(&mut self, kind: &str, which: impl IntoIterator<Item = &'d Datum>) {
        let mut which = which.into_iter();
        let listed: Vec<Value> = which.by_ref().take(LISTED).map(Value::from).collect();
        self.set(&format!("{kind}-count"), listed.len() + which.count());
        self.set(kind, listed);
    }

    /// Something is wrong, if `count` is not 0.
    pub fn find(&mut self, finding: Finding<'h>) {
        if finding.count > 0 {
            self.verdict = Verdict::Invalid;
            self.findings.push(finding);
        }
    }
}

/// A whole number as JSON has it, and as text where it has none so large.
pub(super) fn whole(number: i128) -> Value {
    Number::from_i128(number).map_or_else(|| number.to_string().into(), Value::Number)
}

/// Joins what was said of each object.
pub(super) fn all(
    history: &History,
    reports: Vec<(Option<&str>, Report<'_>)>,
) -> (CheckResult, Vec<Violation>) {
    let mut verdict = Verdict::Valid;
    let mut sums = Map::new();
    let mut failures = BTreeMap::new();
    let mut violations: BTreeMap<&str, Violation> = BTreeMap::new();
    let single = reports.len() == 1;
    for (key, Report { verdict: of_object, mut results, findings }) in reports {
        verdict = verdict.and(of_object.clone());
        for finding in findings {
            let count = finding.count as u64;
            let same = violations.entry(finding.name);
            let tell = || tell(history, key, finding);
            same.and_modify(|first| first.count += count).or_insert_with(tell);
        }
        if single {
            sums = results;
            continue;
        }
        for (name, value) in &results {
            if let (Some(more), true) = (value.as_u64(), name.ends_with("-count")) {
                let so_far = sums.get(name).and_then(Value::as_u64).unwrap_or(0);
                sums.insert(name.clone(), (so_far + more).into());
            }
        }
        if !of_object.is_valid() && failures.len() < OBJECTS {
            results.insert("verdict".to_owned(), of_object.name().into());
            if let Some(reason) = of_object.reason() {
                results.insert("reason".to_owned(), reason.into());
            }
            failures.insert(key.unwrap_or_default().to_owned(), results.into());
        }
    }
    let reason = verdict.reason().map(str::to_owned);
    let result = CheckResult { verdict, reason, results: sums, failures, stays: false };
    (result, violations.into_values().collect())
}

fn tell(history: &History, key: Option<&str>, finding: Finding<'_>) -> Violation {
    let Finding { name, count, mut witness, why } = finding;
    witness.sort_by_key(|operation| operation.invoked.index);
    witness.dedup_by_key(|operation| operation.invoked.index);
    let teller = Teller { history };
    let mut because: Vec<String> = witness.iter().map(|op| teller.clause(op)).collect();
    because.push(why);
    Violation {
        name,
        key: key.map(str::to_owned),
        witness: witness.iter().map(|operation| operation.invoked.index).collect(),
        because,
        count: count as u64,
        reached: None,
        shape: None,
        dependencies: Vec::new(),
        rules_out: Vec::new(),
    }
}
