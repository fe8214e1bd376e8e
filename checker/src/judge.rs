//! From a history to everything that it says.

use rayon::prelude::*;
use serde_json::Value;

use crate::cap::profile;
use crate::class::{Class, ClassBounds};
use crate::convergence::{Agreement, convergence};
use crate::faults::{Effect, Fault, faults};
use crate::history::{History, Operation};
use crate::judgement::{FORMAT_VERSION, Judgement};
use crate::ladder::{Ladder, Rung, strongest};
use crate::linearizable::Budget;
use crate::recording::cut_short;
use crate::register::{
    Linearizability, Reading, Register, VOCABULARIES, corruptions, linearizability, lost_writes,
    registers, stale_reads,
};
use crate::verdict::Verdict;
use crate::violation::{Anomaly, Violations};

/// What to judge a history by.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The verdict is valid if the class is at least this one.
    pub expect: Class,
    /// Every key's value before the first write; by default what the header says, else null, which
    /// stands for unset.
    pub initial: Option<Value>,
    /// A read of null may stand for any value, instead of an unset key.
    pub nil_reads_any: bool,
    /// The verdict is unknown instead of valid if the plan asked for faults and none was in force
    /// while operations ran. For histories that were recorded to be judged at once; an old one is
    /// judged as it stands.
    pub faults_required: bool,
    /// What the linearizability check of one key may cost.
    pub budget: Budget,
}

/// Judges a history.
pub fn judge(history: &History, options: &Options) -> Judgement {
    let faults = faults(history);
    let findings = Findings::of(history, options, &faults);
    let reports: Vec<_> = faults.iter().map(|fault| fault.report(history)).collect();
    let header = history.header();
    let verdict = findings.verdict(history, options, &faults);
    let profile = profile(history, &faults, &findings.ladder[&Rung::Linearizable], |index| {
        linearizable_before(history, options, index)
    });
    let class = |pick: fn(ClassBounds) -> Class| findings.bounds.map(pick);
    Judgement {
        format: FORMAT_VERSION,
        reason: verdict.reason().map(str::to_owned),
        verdict,
        expect: options.expect,
        class: findings.bounds.and_then(ClassBounds::class),
        class_at_least: class(|bounds| bounds.at_least),
        class_at_most: class(|bounds| bounds.at_most),
        cap: profile.cap,
        cap_reason: profile.reason,
        cap_windows: profile.windows,
        strongest: strongest(&findings.ladder),
        ladder: findings.ladder,
        violations: findings.violations,
        operations: history.operations().len(),
        check_ms: None,
        no_faults: faults.iter().all(|fault| fault.effect == Effect::Skipped),
        faults: reports,
        seed: header.map(|header| header.seed),
        run: header.map(|header| header.run.clone()),
    }
}

/// What the checks found.
struct Findings {
    /// `None` if nothing can be said.
    bounds: Option<ClassBounds>,
    ladder: Ladder,
    /// Converged, and no write lost.
    eventual: Verdict,
    violations: Vec<crate::violation::Violation>,
}

impl Findings {
    fn of(history: &History, options: &Options, faults: &[Fault]) -> Findings {
        if !history.operations().iter().any(Operation::is_ok) {
            return Findings::nothing("vacuous: no operation succeeded");
        }
        if let Some(reason) = unfit_vocabulary(history) {
            return Findings::nothing(&reason);
        }
        let registers = match registers(history, &options.reading(history, None)) {
            Ok(registers) => registers,
            Err(operation) => {
                return Findings::nothing(&format!(
                    "event {}: {} is not an operation of a register",
                    operation.invoked.index, operation.f
                ));
            }
        };
        let mut violations = Violations::default();
        let mut not_corrupt = Verdict::Valid;
        let mut linearizable = Verdict::Valid;
        for (register, result) in
            registers.iter().zip(check_all(history, &registers, &options.budget))
        {
            if result.anomalies.iter().any(|anomaly| matches!(anomaly, Anomaly::Corrupt(_))) {
                not_corrupt = Verdict::Invalid;
            }
            linearizable = linearizable.and(result.linearizable);
            for anomaly in result.anomalies {
                violations.add(register.key, anomaly);
            }
        }
        let eventual = eventual(history, faults, &registers, &mut violations);
        Findings {
            bounds: Some(ClassBounds::decide(&not_corrupt, &linearizable, &eventual)),
            ladder: Ladder::from([(Rung::Linearizable, linearizable)]),
            eventual,
            violations: violations.tell(history, &registers),
        }
    }

    fn nothing(reason: &str) -> Findings {
        Findings {
            bounds: None,
            ladder: Ladder::from([(Rung::Linearizable, Verdict::unknown(reason))]),
            eventual: Verdict::unknown(reason),
            violations: Vec::new(),
        }
    }

    fn verdict(&self, history: &History, options: &Options, faults: &[Fault]) -> Verdict {
        let linearizable = &self.ladder[&Rung::Linearizable];
        let met = match self.bounds.map(|bounds| bounds.meets(options.expect)) {
            Some(Verdict::Unknown { reason }) => {
                // The reason of the question that the expectation hangs on most.
                let questions = match options.expect {
                    Class::Linearizable => [linearizable, &self.eventual],
                    _ => [&self.eventual, linearizable],
                };
                let why = questions.into_iter().find_map(Verdict::reason);
                Verdict::unknown(why.map_or(reason, str::to_owned))
            }
            Some(known) => known,
            None => linearizable.clone(),
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

impl Options {
    fn reading<'h>(&'h self, history: &'h History, before_index: Option<u64>) -> Reading<'h> {
        let of_header = history.header().map_or(&Value::Null, |header| &header.initial);
        Reading {
            initial: self.initial.as_ref().unwrap_or(of_header),
            nil_reads_any: self.nil_reads_any,
            before_index,
        }
    }
}

fn unfit_vocabulary(history: &History) -> Option<String> {
    let vocabulary = history.header()?.vocabulary.as_str();
    let fits = vocabulary.is_empty() || VOCABULARIES.contains(&vocabulary);
    (!fits).then(|| format!("there is no check for the vocabulary {vocabulary}"))
}

/// Whether what happened before the event of an index is linearizable.
fn linearizable_before(history: &History, options: &Options, index: u64) -> Verdict {
    let Ok(registers) = registers(history, &options.reading(history, Some(index))) else {
        return Verdict::unknown("there is no check for these operations");
    };
    let results = check_all(history, &registers, &options.budget).into_iter();
    results.fold(Verdict::Valid, |all, result| all.and(result.linearizable))
}

/// What one key's check says.
struct KeyResult<'h> {
    linearizable: Verdict,
    anomalies: Vec<Anomaly<'h>>,
}

/// Checks every key, in parallel and in order.
fn check_all<'h>(
    history: &History,
    registers: &[Register<'h>],
    budget: &Budget,
) -> Vec<KeyResult<'h>> {
    registers.par_iter().map(|register| check_key(history, register, budget)).collect()
}

/// An anomaly that is proven already makes the search superfluous.
fn check_key<'h>(history: &History, register: &Register<'h>, budget: &Budget) -> KeyResult<'h> {
    let mut anomalies: Vec<Anomaly<'h>> =
        corruptions(register).into_iter().map(Anomaly::Corrupt).collect();
    anomalies.extend(stale_reads(register).into_iter().map(Anomaly::Stale));
    if !anomalies.is_empty() {
        return KeyResult { linearizable: Verdict::Invalid, anomalies };
    }
    let linearizable = match linearizability(register, budget) {
        Linearizability::Linearizable => Verdict::Valid,
        Linearizability::NotLinearizable(witness) => {
            anomalies.push(Anomaly::NonLinearizable(witness));
            Verdict::Invalid
        }
        Linearizability::Exhausted(progress) => {
            let key = history[register.key].as_deref();
            let key = key.map_or(String::new(), |key| format!("key {key}: "));
            Verdict::unknown(format!("budget: {key}{progress}"))
        }
    };
    KeyResult { linearizable, anomalies }
}

/// Whether all replicas agreed in the end and every acknowledged write survived.
fn eventual<'h>(
    history: &'h History,
    faults: &[Fault],
    registers: &[Register<'h>],
    violations: &mut Violations<'h>,
) -> Verdict {
    let convergence = convergence(history, faults);
    let mut verdict = convergence.verdict;
    for (key, agreement) in &convergence.keys {
        match *agreement {
            Agreement::Agreed(read) => {
                let register = &registers[key.0 as usize];
                for lost in lost_writes(register, &read.result, convergence.final_index) {
                    verdict = Verdict::Invalid;
                    violations.add(*key, Anomaly::Lost(lost, read));
                }
            }
            Agreement::Differ(one, other) => {
                violations.add(*key, Anomaly::NotConverged(one, other));
            }
            Agreement::Unknown(_) => {}
        }
    }
    verdict
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
                operation.invoked < to && operation.completed.is_none_or(|end| end > from)
            })
        })
    };
    faults.iter().any(overlaps)
}
