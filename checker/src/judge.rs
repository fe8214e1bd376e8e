//! From a history to everything that it says.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cap::{CapVerdict, cap};
use crate::checks::{self, Check, CheckResult};
use crate::class::{Class, ClassBounds};
use crate::convergence::{Agreement, Convergence, convergence};
use crate::expectation::Expectation;
use crate::failover::failover;
use crate::faults::{Effect, Fault, faults};
use crate::history::{History, Operation};
use crate::judgement::{FORMAT_VERSION, Judgement, KeyPlan, Misfit, RungPlan};
use crate::keys::{check_all, linearizable_before, orders, with_failed_cas};
use crate::ladder::{
    Climbed, Ladder, Rung, climb, reasons, rungs_of_registers, strongest, weakest_ruled_out,
};
use crate::modelled::Modelled;
use crate::models::list::Objects;
use crate::options::Options;
use crate::profile::profile;
use crate::profile::seen::Seen;
use crate::recording::cut_short;
use crate::register::{Register, lost_writes, procedure, registers};
use crate::roles::Roles;
use crate::txn::Transactional;
use crate::verdict::Verdict;
use crate::violation::{Anomaly, Violation, Violations};

/// What a register can do, in words.
const REGISTER_OPERATIONS: &str = "read, write of a value, cas of [old, new]";

/// Judges a history.
pub fn judge(history: &History, options: &Options) -> Judgement {
    let faults = faults(history);
    let findings = Findings::of(history, options, &faults);
    let reports: Vec<_> = faults.iter().map(|fault| fault.report(history)).collect();
    let header = history.header();
    let roles = Roles::of(history);
    let linearizable = findings.strongest_asked();
    let cap = cap(history, &faults, &roles, linearizable, |index| {
        linearizable_before(history, options, index)
    });
    let expect = findings.expectation(options.expect);
    let verdict = findings.verdict(history, expect, options, &faults, &cap);
    let seen = findings.seen.as_ref().map_err(String::as_str);
    let profile = profile(history, &faults, &roles, &cap, linearizable, seen);
    let failover = failover(history, &faults, &roles, seen);
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

/// What the checks found.
struct Findings {
    /// `None` if nothing can be said.
    bounds: Option<ClassBounds>,
    ladder: Ladder,
    /// Converged, and no write lost.
    eventual: Verdict,
    violations: Vec<Violation>,
    /// What the check of the workload says, by its name, if there is one.
    checks: BTreeMap<&'static str, CheckResult>,
    /// Empty unless it was asked for.
    plan: Vec<KeyPlan>,
    /// Empty unless it was asked for.
    ladder_plan: Vec<RungPlan>,
    /// Empty unless it was asked for.
    order: BTreeMap<String, Vec<u64>>,
    /// There is no check for these operations.
    misfit: Option<Misfit>,
    /// What registers show, or why nothing of that is known.
    seen: Result<Seen, String>,
}

impl Findings {
    fn of(history: &History, options: &Options, faults: &[Fault]) -> Findings {
        if !history.operations().iter().any(Operation::is_ok) {
            let mut nothing = Findings::nothing("vacuous: no operation succeeded");
            if let Ok(Objects::Registers) = options.objects(history) {
                let vacuous = nothing.ladder[&Rung::Linearizable].clone();
                nothing.ladder = rungs_of_registers().map(|rung| (rung, vacuous.clone())).collect();
            }
            return nothing;
        }
        if let Some(kind) = options.transactions(history) {
            return match kind.check(history) {
                Ok(found) => Findings::of_transactions(found),
                Err(misfit) => Findings::misfit(misfit),
            };
        }
        match options.objects(history) {
            Err(misfit) => Findings::misfit(misfit),
            Ok(Objects::Of(model)) => match Modelled::check(model, history, None, options) {
                Ok(modelled) => {
                    let findings = Findings::by_model(modelled);
                    // Some operations of the model are not of the workload that it is named after.
                    let check = checks::named(model.name());
                    match check.map(|check| (check, checks::run(check, history, options))) {
                        Some((check, Ok(found))) => findings.and_by_check(check, found),
                        _ => findings,
                    }
                }
                Err(misfit) => Findings::misfit(misfit),
            },
            Ok(Objects::Checked(check)) => match checks::run(check, history, options) {
                Ok(found) => {
                    let name = check.name();
                    Findings::nothing(&format!("a history of {name} is judged by its own check"))
                        .and_by_check(check, found)
                }
                Err(misfit) => Findings::misfit(misfit),
            },
            Ok(Objects::Registers) => Findings::of_registers(history, options, faults),
        }
    }

    fn by_model(modelled: Modelled) -> Findings {
        // What is linearizable is not corrupt; of the rest nothing is known.
        let not_corrupt = match modelled.linearizable {
            Verdict::Valid => Verdict::Valid,
            _ => Verdict::unknown("corruption is looked for in registers only"),
        };
        let eventual = Verdict::unknown("convergence and loss are looked for in registers only");
        Findings {
            bounds: Some(ClassBounds::decide(&not_corrupt, &modelled.linearizable, &eventual)),
            ladder: Ladder::from([(Rung::Linearizable, modelled.linearizable)]),
            eventual,
            misfit: None,
            seen: Err("staleness, divergence and loss are measured of registers only".to_owned()),
            violations: modelled.violations,
            checks: BTreeMap::new(),
            plan: modelled.plan,
            ladder_plan: Vec::new(),
            order: modelled.order,
        }
    }

    /// Adds what the workload's own check found.
    fn and_by_check(
        mut self,
        check: &dyn Check,
        (result, violations): (CheckResult, Vec<Violation>),
    ) -> Findings {
        if result.verdict.is_invalid() {
            self.eventual = Verdict::Invalid;
        }
        self.checks.insert(check.name(), result);
        self.violations.extend(violations);
        self
    }

    fn of_transactions(found: Transactional) -> Findings {
        let why = "classes are those of single objects, not of transactions";
        Findings {
            ladder: found.ladder,
            violations: found.violations,
            seen: Err("staleness, divergence and loss are measured of registers only".to_owned()),
            ..Findings::nothing(why)
        }
    }

    fn of_registers(history: &History, options: &Options, faults: &[Fault]) -> Findings {
        let registers = match registers(history, &options.reading(history, None)) {
            Ok(registers) => registers,
            Err(operation) => {
                return Findings::misfit(Misfit::of(operation, "register", REGISTER_OPERATIONS));
            }
        };
        let mut violations = Violations::default();
        let mut not_corrupt = Verdict::Valid;
        let mut linearizable = Verdict::Valid;
        let mut plan = Vec::new();
        // What is linearizable has no stale read.
        let mut may_be_stale = Vec::with_capacity(registers.len());
        for (register, result) in
            registers.iter().zip(check_all(history, &registers, &options.budget))
        {
            if result.anomalies.iter().any(|anomaly| matches!(anomaly, Anomaly::Corrupt(_))) {
                not_corrupt = Verdict::Invalid;
            }
            may_be_stale.push(!result.linearizable.is_valid());
            linearizable = linearizable.and(result.linearizable);
            if options.explain {
                let key = history[register.key].clone();
                plan.push(KeyPlan { key, procedure: procedure(register, &result.anomalies) });
            }
            for anomaly in result.anomalies {
                violations.add(register.key, anomaly);
            }
        }
        let convergence = convergence(history, faults);
        let eventual = eventual(&convergence, &registers, &mut violations);
        let seen = Seen::of(&registers, &may_be_stale, &convergence);
        let mut violations = violations.tell(history, &registers);
        let mut order = BTreeMap::new();
        if !linearizable.is_invalid()
            && let Some(observed) = with_failed_cas(history, None, options)
        {
            (linearizable, plan, order) = (observed.linearizable, observed.plan, observed.order);
            violations.extend(observed.violations);
        } else if options.order {
            order = orders(history, &registers, options);
        }
        let Climbed { ladder, violations: broken, plan: ladder_plan } =
            climb(history, &registers, &linearizable, &convergence.verdict);
        violations.extend(broken);
        for violation in &mut violations {
            // Where a later write explains a value after all, it rules out less.
            violation.rules_out.retain(|rung| ladder[rung].is_invalid());
        }
        Findings {
            bounds: Some(ClassBounds::decide(&not_corrupt, &linearizable, &eventual)),
            ladder,
            eventual,
            misfit: None,
            seen: Ok(seen),
            violations,
            checks: BTreeMap::new(),
            plan,
            ladder_plan: if options.explain { ladder_plan } else { Vec::new() },
            order,
        }
    }

    fn nothing(reason: &str) -> Findings {
        Findings {
            bounds: None,
            ladder: Ladder::from([(Rung::Linearizable, Verdict::unknown(reason))]),
            eventual: Verdict::unknown(reason),
            misfit: None,
            seen: Err(reason.to_owned()),
            violations: Vec::new(),
            checks: BTreeMap::new(),
            plan: Vec::new(),
            ladder_plan: Vec::new(),
            order: BTreeMap::new(),
        }
    }

    fn misfit(misfit: Misfit) -> Findings {
        let nothing = Findings::nothing(&misfit.to_string());
        Findings { misfit: Some(misfit), ..nothing }
    }

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
            Expectation::Rung(rung) => self.ladder.get(&rung).cloned().unwrap_or_else(|| {
                Verdict::unknown(format!("{} is not defined for these objects", rung.name()))
            }),
            Expectation::Cap(expected) => cap.meets(expected),
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

/// Whether all replicas agreed in the end and every acknowledged write survived.
fn eventual<'h>(
    convergence: &Convergence<'h>,
    registers: &[Register<'h>],
    violations: &mut Violations<'h>,
) -> Verdict {
    let mut verdict = convergence.verdict.clone();
    for (key, agreement) in &convergence.keys {
        match *agreement {
            Agreement::Agreed(read) => {
                let register = &registers[key.0 as usize];
                for lost in lost_writes(register, read.result(), convergence.final_index) {
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
                operation.invoked < to && operation.completed().is_none_or(|end| end > from)
            })
        })
    };
    faults.iter().any(overlaps)
}
