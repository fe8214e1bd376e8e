//! From a history to everything that it says.

use serde_json::Value;

use crate::cap::{CapVerdict, cap};
use crate::class::{Class, ClassBounds};
use crate::expectation::Expectation;
use crate::failover::{Failover, failover};
use crate::faults::{Effect, Fault, faults};
use crate::findings::Findings;
use crate::history::{ClockWentBack, History, Operation};
use crate::judgement::{FORMAT_VERSION, Judgement};
use crate::keys::linearizable_before;
use crate::ladder::{Rung, reasons, strongest, weakest_ruled_out};
use crate::options::Options;
use crate::profile::profile;
use crate::recording::cut_short;
use crate::roles::Roles;
use crate::verdict::Verdict;

/// Judges a history.
pub fn judge(history: &History, options: &Options) -> Judgement {
    let faults = faults(history);
    let findings = Findings::of(history, options, &faults);
    let reports: Vec<_> = faults.iter().map(|fault| fault.report(history)).collect();
    let header = history.header();
    let roles = Roles::of(history);
    let linearizable = findings.strongest_asked();
    // Where the clock went back, what is measured in time is not known.
    let untimed = history.clock_went_back().and_then(ClockWentBack::doubt);
    let cap = match &untimed {
        Some(reason) => CapVerdict::unknown(reason),
        None => cap(history, &faults, &roles, linearizable, |index| {
            linearizable_before(history, options, index)
        }),
    };
    let expect = findings.expectation(options.expect);
    let verdict = findings.verdict(history, expect, options, &faults, &cap);
    let seen = match &untimed {
        Some(reason) => Err(reason.as_str()),
        None => findings.seen.as_ref().map_err(String::as_str),
    };
    let profile = profile(history, &faults, &roles, &cap, linearizable, seen);
    let failover = match &untimed {
        Some(reason) => Failover::unknown(reason),
        None => failover(history, &faults, &roles, seen),
    };
    let class = |pick: fn(ClassBounds) -> Class| findings.bounds.map(pick);
    Judgement {
        format: FORMAT_VERSION,
        reason: verdict.reason().map(str::to_owned),
        verdict,
        expect,
        class: findings.bounds.and_then(ClassBounds::class),
        class_at_least: class(|bounds| bounds.at_least),
        class_at_most: class(|bounds| bounds.at_most),
        cap: cap.cap,
        cap_reason: cap.reason,
        cap_windows: cap.windows,
        profile,
        failover,
        strongest: strongest(&findings.ladder),
        weakest_ruled_out: weakest_ruled_out(&findings.ladder),
        ladder_reasons: reasons(&findings.ladder),
        ladder: findings.ladder,
        violations: findings.violations,
        checks: findings.checks,
        misfit: findings.misfit,
        explain: findings.plan,
        explain_ladder: findings.ladder_plan,
        order: findings.order,
        operations: history.operations().len(),
        check_ms: None,
        no_faults: faults.iter().all(|fault| fault.effect == Effect::Skipped),
        faults: reports,
        seed: header.map(|header| header.seed),
        run: header.map(|header| header.run.clone()),
    }
}

impl Findings {
    /// The answer to the strongest question: linearizability, or that of transactions which comes closest.
    fn strongest_asked(&self) -> &Verdict {
        self.ladder.values().next().expect("some rung is always asked for")
    }

    /// What is expected, in the words for these objects: transactions have no class.
    fn expectation(&self, expect: Expectation) -> Expectation {
        let strongest = self.ladder.keys().next().copied();
        match (expect, strongest) {
            (Expectation::Class(Class::Linearizable), Some(rung)) if rung != Rung::Linearizable => {
                Expectation::Rung(rung)
            }
            _ => expect,
        }
    }

    /// Whether the class is at least that. What the workload's own check finds is in no class.
    fn meets(&self, expected: Class) -> Verdict {
        let checked = self.checks.values().map(|check| &check.verdict);
        if self.bounds.is_none() && !self.checks.is_empty() {
            return checked.fold(Verdict::Valid, |all, check| all.and(check.clone()));
        }
        if checked.into_iter().any(Verdict::is_invalid) {
            return Verdict::Invalid;
        }
        let linearizable = self.strongest_asked();
        match self.bounds.map(|bounds| bounds.meets(expected)) {
            Some(Verdict::Unknown { reason }) => {
                // The reason of the question that the expectation hangs on most.
                let questions = match expected {
                    Class::Linearizable => [linearizable, &self.eventual],
                    _ => [&self.eventual, linearizable],
                };
                let why = questions.into_iter().find_map(Verdict::reason);
                Verdict::unknown(why.map_or(reason, str::to_owned))
            }
            Some(known) => known,
            None => linearizable.clone(),
        }
    }

    fn verdict(
        &self,
        history: &History,
        expect: Expectation,
        options: &Options,
        faults: &[Fault],
        cap: &CapVerdict,
    ) -> Verdict {
        let met = match expect {
            Expectation::Class(class) => self.meets(class),
            Expectation::Rung(rung) => match self.ladder.get(&rung) {
                Some(verdict) => verdict.clone(),
                // What the workload is there to find is nowhere right.
                None if self.checks.values().any(|check| check.verdict.is_invalid()) => {
                    Verdict::Invalid
                }
                None => {
                    Verdict::unknown(format!("{} is not defined for these objects", rung.name()))
                }
            },
            Expectation::Cap(expected) => cap.meets(expected),
        };
        let met = match never_read(history) {
            Some(reads) if met.is_valid() => {
                Verdict::unknown(format!("vacuous: none of {reads} reads was answered"))
            }
            _ => met,
        };
        // First, because it says best why there is no answer.
        if let Some(reason) = cut_short(history).filter(|_| !met.is_invalid()) {
            return Verdict::unknown(reason);
        }
        if options.faults_required && !in_force(history, faults) {
            let reason = "fault not in force: the plan asked for faults, and none was verified in \
                          force while operations ran";
            return met.and(Verdict::unknown(reason));
        }
        met
    }
}

/// How many reads there were, if nothing that was answered tells what anybody would have read.
fn never_read(history: &History) -> Option<usize> {
    let operations = history.operations();
    let blind = |operation: &Operation| matches!(operation.f(), "write" | "add" | "insert");
    let reads = operations.iter().filter(|operation| operation.f() == "read").count();
    let is_seen = operations.iter().any(|operation| operation.is_ok() && !blind(operation));
    (reads > 0 && !is_seen).then_some(reads)
}

/// Whether no faults were asked for, all were skipped, or one was verified in force while an
/// operation ran.
fn in_force(history: &History, faults: &[Fault]) -> bool {
    let plan = history.header().map(|header| &header.plan["faults"]);
    let asked = plan.and_then(Value::as_array).is_some_and(|faults| !faults.is_empty());
    let all_skipped =
        !faults.is_empty() && faults.iter().all(|fault| fault.effect == Effect::Skipped);
    if !asked || all_skipped {
        return true;
    }
    let overlaps = |fault: &Fault| {
        fault.in_force(history).is_some_and(|(from, to)| {
            history.operations().iter().any(|operation| {
                operation.invoked < to && operation.completed().is_none_or(|end| end > from)
            })
        })
    };
    faults.iter().any(overlaps)
}
