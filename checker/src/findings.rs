//! What the checks found of a history.

use std::collections::BTreeMap;

use crate::checks::{self, Check, CheckResult};
use crate::class::ClassBounds;
use crate::convergence::{Agreement, Convergence, convergence};
use crate::faults::Fault;
use crate::history::{History, Operation};
use crate::judgement::{KeyPlan, Misfit, RungPlan};
use crate::keys::{check_all, orders, with_failed_cas};
use crate::ladder::{
    Climbed, Ladder, Rung, climb, climb_counters, climb_sets, rungs_of_counters,
    rungs_of_registers, rungs_of_sets,
};
use crate::modelled::Modelled;
use crate::models::list::Objects;
use crate::options::Options;
use crate::profile::seen::Seen;
use crate::register::{Register, lost_writes, procedure, registers};
use crate::txn::Transactional;
use crate::verdict::Verdict;
use crate::violation::{Anomaly, Violation, Violations};

/// What a register can do, in words.
const REGISTER_OPERATIONS: &str = "read, write of a value, cas of [old, new]";

/// What the checks found.
pub(crate) struct Findings {
    /// `None` if nothing can be said.
    pub bounds: Option<ClassBounds>,
    pub ladder: Ladder,
    /// Converged, and no write lost.
    pub eventual: Verdict,
    pub violations: Vec<Violation>,
    /// What the check of the workload says, by its name, if there is one.
    pub checks: BTreeMap<&'static str, CheckResult>,
    /// Empty unless it was asked for.
    pub plan: Vec<KeyPlan>,
    /// Empty unless it was asked for.
    pub ladder_plan: Vec<RungPlan>,
    /// Empty unless it was asked for.
    pub order: BTreeMap<String, Vec<u64>>,
    /// There is no check for these operations.
    pub misfit: Option<Misfit>,
    /// What registers show, or why nothing of that is known.
    pub seen: Result<Seen, String>,
}

impl Findings {
    /// Checks everything that can be checked.
    pub fn of(history: &History, options: &Options, faults: &[Fault]) -> Findings {
        if !history.operations().iter().any(Operation::is_ok) {
            let mut nothing = Findings::nothing("vacuous: no operation succeeded");
            if let Ok(Objects::Registers) = options.objects(history) {
                nothing.ladder = nothing.all_of(rungs_of_registers());
            } else if let Ok(Objects::Of(model)) = options.objects(history)
                && let Some(of_objects) = of_objects(model.name())
            {
                nothing.ladder = nothing.all_of(of_objects.rungs.into_iter());
            }
            return nothing;
        }
        if let Some(kind) = options.transactions(history) {
            return match kind.check(history, &options.of_transactions(history)) {
                Ok(found) => Findings::of_transactions(found),
                Err(misfit) => Findings::misfit(misfit),
            };
        }
        match options.objects(history) {
            Err(misfit) => Findings::misfit(misfit),
            Ok(Objects::Of(model)) => match Modelled::check(model, history, None, options) {
                Ok(modelled) => {
                    let findings = Findings::by_model(modelled, model.name(), history, options);
                    // Some operations of the model are not of the workload that it is named after.
                    let check = checks::named(model.name());
                    match check.map(|check| (check, checks::run(check, history, options))) {
                        Some((check, Ok(found))) => findings.and_by_check(check, found),
                        _ => findings,
                    }
                }
                Err(misfit) => Findings::without_model(misfit, model.name(), history, options),
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

    /// Models begin empty. Of an object that does not, the check of the workload of that name may know
    /// something.
    fn without_model(
        misfit: Misfit,
        model: &str,
        history: &History,
        options: &Options,
    ) -> Findings {
        let begins_elsewhere = misfit.event.is_none();
        let check = checks::named(model).filter(|_| begins_elsewhere);
        let Some((check, Ok(found))) =
            check.map(|check| (check, checks::run(check, history, options)))
        else {
            return Findings::misfit(misfit);
        };
        let mut nothing = Findings::nothing(&misfit.to_string());
        let unknown = &nothing.eventual;
        nothing.bounds = Some(ClassBounds::decide(unknown, unknown, unknown));
        if let Some(of_objects) = of_objects(model) {
            nothing.ladder = nothing.all_of(of_objects.rungs.into_iter());
        }
        nothing.and_by_check(check, found)
    }

    fn by_model(modelled: Modelled, model: &str, history: &History, options: &Options) -> Findings {
        // What is linearizable is not corrupt; of the rest nothing is known.
        let not_corrupt = match modelled.linearizable {
            Verdict::Valid => Verdict::Valid,
            _ => Verdict::unknown("corruption is looked for in registers only"),
        };
        let eventual = Verdict::unknown("convergence and loss are looked for in registers only");
        let mut violations = modelled.violations;
        let (ladder, ladder_plan) = match of_objects(model) {
            Some(OfObjects { climb, .. }) => {
                let climbed = climb(history, &modelled.linearizable);
                violations.extend(climbed.violations);
                (climbed.ladder, climbed.plan)
            }
            None => (Ladder::from([(Rung::Linearizable, modelled.linearizable.clone())]), vec![]),
        };
        Findings {
            bounds: Some(ClassBounds::decide(&not_corrupt, &modelled.linearizable, &eventual)),
            ladder,
            eventual,
            misfit: None,
            seen: Err("staleness, divergence and loss are measured of registers only".to_owned()),
            violations,
            checks: BTreeMap::new(),
            plan: modelled.plan,
            ladder_plan: if options.explain { ladder_plan } else { Vec::new() },
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

    /// These rungs, with the answer that there is.
    fn all_of(&self, rungs: impl Iterator<Item = Rung>) -> Ladder {
        let answer = &self.ladder[&Rung::Linearizable];
        rungs.map(|rung| (rung, answer.clone())).collect()
    }

    fn misfit(misfit: Misfit) -> Findings {
        let nothing = Findings::nothing(&misfit.to_string());
        Findings { misfit: Some(misfit), ..nothing }
    }
}

/// The ladder of the objects of a model.
struct OfObjects {
    rungs: Vec<Rung>,
    climb: fn(&History, &Verdict) -> Climbed,
}

/// `None` if no other rung than linearizability is defined: of sets only those that grow have a ladder, and queues
/// have none.
fn of_objects(model: &str) -> Option<OfObjects> {
    match model {
        "set" => Some(OfObjects { rungs: rungs_of_sets().collect(), climb: climb_sets }),
        "counter" => {
            Some(OfObjects { rungs: rungs_of_counters().collect(), climb: climb_counters })
        }
        _ => None,
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
