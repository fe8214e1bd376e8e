//! The answer to everything that is asked of a history, in the shape that `--json` prints.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::cap::{Cap, CapWindow};
use crate::checks::CheckResult;
use crate::class::{Class, ClassBounds};
use crate::expectation::Expectation;
use crate::failover::Failover;
use crate::faults::FaultReport;
use crate::history::{Datum, Malformed, Operation, shown};
use crate::ladder::{Ladder, Rung};
use crate::profile::Profile;
use crate::verdict::Verdict;
use crate::violation::Violation;

/// The version of the JSON object.
pub const FORMAT_VERSION: u32 = 1;

/// What a history says of the system that it was recorded from.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// Whether it is what was expected; of a class, at least that.
    pub verdict: Verdict,
    /// What was expected.
    pub expect: Expectation,
    /// The class, where it is certain.
    pub class: Option<Class>,
    /// The weakest class that it can be; null if nothing is known.
    pub class_at_least: Option<Class>,
    /// The strongest class that it can be; null if nothing is known.
    pub class_at_most: Option<Class>,
    /// What the system gives up when it is partitioned.
    pub cap: Option<Cap>,
    /// Why that cannot be told.
    pub cap_reason: Option<String>,
    /// The answer for each consistency model that was checked.
    pub ladder: Ladder,
    /// Why some of them are not known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ladder_reasons: BTreeMap<Rung, String>,
    /// The strongest models that hold.
    pub strongest: Vec<Rung>,
    /// The weakest models that do not hold; what rules them out is among the violations.
    pub weakest_ruled_out: Vec<Rung>,
    /// One entry for each kind of anomaly, the gravest first.
    pub violations: Vec<Violation>,
    /// What the check of the workload says, by its name, with its figures under the names that
    /// Jepsen gives them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<&'static str, CheckResult>,
    /// Why the verdict is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// That it is so because the operations are not of the objects that they were taken for, or of
    /// any that can be checked: the question was wrong.
    #[serde(skip)]
    pub misfit: Option<Misfit>,
    /// How each key was checked, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain: Vec<KeyPlan>,
    /// How each consistency model was decided, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain_ladder: Vec<RungPlan>,
    /// For each key that is linearizable an order of its operations, by the indices of their
    /// invocations, that explains every answer, if that was asked for; of a history without keys
    /// by the empty name. Only where it did not cost too much.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub order: BTreeMap<String, Vec<u64>>,
    /// Invocations of clients.
    pub operations: usize,
    /// What the check took, for the caller to fill in: the checker has no clock.
    pub check_ms: Option<f64>,
    /// What happened on each side of each cut, on which `cap` rests.
    pub cap_windows: Vec<CapWindow>,
    /// What was measured, for each phase and each side.
    pub profile: Profile,
    /// What it cost that primaries were taken away: RTO, RPO, split brain.
    pub failover: Failover,
    /// The faults in the order of their start.
    pub faults: Vec<FaultReport>,
    /// Whether nothing was broken: no fault was tried, or all were skipped.
    pub no_faults: bool,
    /// The seed of the run, where a header gives it.
    pub seed: Option<u64>,
    /// The name of the run, where a header gives it.
    pub run: Option<String>,
}

/// Why operations cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The index of the invocation of the operation that does not fit; `None` if none would.
    pub event: Option<u64>,
    /// What would have been right.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Misfit {
    /// An operation that is not one of an object's, whose own are these.
    pub(crate) fn of(operation: &Operation, object: &str, operations: &str) -> Misfit {
        let beginning = |value: &Datum| match value {
            Datum::Null => String::new(),
            value => format!(" {}", shown(value)),
        };
        let answer = match operation.is_ok() {
            true => format!(", answered with {}", shown(operation.result())),
            false => String::new(),
        };
        let own = if operations.is_empty() { String::new() } else { format!(": {operations}") };
        Misfit {
            event: Some(operation.invoked.index),
            expected: format!("an operation of a {object}{own}"),
            found: format!("{}{}{answer}", operation.f(), beginning(operation.argument())),
        }
    }

    /// The same as what is wrong with a line.
    pub fn at(&self, line: u64) -> Malformed {
        Malformed::new(line, &self.expected, &self.found)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Misfit { event, expected, found } = self;
        match event {
            Some(event) => write!(f, "event {event}: expected {expected}, found {found}"),
            None => write!(f, "expected {expected}, found {found}"),
        }
    }
}

/// How one key was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyPlan {
    /// The key; absent in a history without keys, or where all keys are one object.
    pub key: Option<String>,
    /// The procedure, and why it was that one.
    pub procedure: String,
}

/// How one consistency model was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RungPlan {
    /// The model.
    pub rung: Rung,
    /// The procedure, or from which other model the answer follows.
    pub procedure: String,
}

impl Judgement {
    /// The class in the words that people use, or what is proven of it; of objects that are in no
    /// class what their own check says.
    pub fn headline(&self) -> String {
        let mut headline = match (self.class_at_least, self.class_at_most) {
            (Some(at_least), Some(at_most)) => {
                let mut headline = ClassBounds { at_least, at_most }.headline();
                let failed = self.checks.iter().filter(|(_, check)| check.verdict.is_invalid());
                for (name, _) in failed {
                    headline.push_str(&format!(", but {name} invalid"));
                }
                headline
            }
            _ if self.ladder.contains_key(&Rung::ReadUncommitted) => {
                match self.strongest.as_slice() {
                    [] => "not even read-uncommitted".to_owned(),
                    levels => {
                        levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ")
                    }
                }
            }
            _ if self.checks.is_empty() => "unknown".to_owned(),
            _ => {
                let word =
                    |(name, check): (_, &CheckResult)| format!("{name} {}", check.verdict.name());
                self.checks.iter().map(word).collect::<Vec<_>>().join(", ")
            }
        };
        if self.no_faults && self.run.is_some() {
            headline.push_str(", no faults");
        }
        headline
    }
}
