//! What the check by a model says of a history.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::history::{History, KeyId, Operation, shown};
use crate::judgement::{KeyPlan, Misfit};
use crate::ladder::Rung;
use crate::models::failed_cas::ObservedRegister;
use crate::models::{KeyCheck, Named, Outcome};
use crate::options::Options;
use crate::tell::Teller;
use crate::verdict::Verdict;
use crate::violation::Violation;

/// More operations than this are not told one by one.
const TOLD: usize = 20;

/// The findings of a check by a model.
pub(crate) struct Modelled {
    pub linearizable: Verdict,
    pub violations: Vec<Violation>,
    /// Empty unless it was asked for.
    pub plan: Vec<KeyPlan>,
    /// Empty unless it was asked for.
    pub order: BTreeMap<String, Vec<u64>>,
}

impl Modelled {
    /// Checks a history, or what was known of it just before the event of an index. An error says
    /// why it cannot be checked.
    pub fn check(
        model: &dyn Named,
        history: &History,
        before_index: Option<u64>,
        options: &Options,
    ) -> Result<Modelled, Misfit> {
        let name = model.name();
        let of_header = history.header().map_or(&Value::Null, |header| &header.initial);
        let initial = options.initial.as_ref().unwrap_or(of_header);
        if !is_empty(initial) {
            let expected = format!("no initial value, since a {name} begins empty");
            return Err(Misfit { event: None, expected, found: shown(initial) });
        }
        let checks = model
            .check_before(history, before_index, &options.budget)
            .map_err(|operation| Misfit::of(operation, name, model.operations()))?;
        let order = orders(model, history, before_index, options);
        Ok(Modelled { order, ..Modelled::of(checks, name, history, options) })
    }

    /// Checks registers, of which failed compare-and-sets are answers too.
    pub fn with_failed_cas(
        history: &History,
        before_index: Option<u64>,
        options: &Options,
    ) -> Option<Modelled> {
        let reading = options.reading(history, before_index);
        let (initial, nil_reads_any) = (reading.initial, reading.nil_reads_any);
        let model = ObservedRegister { initial: &initial, nil_reads_any };
        let checks = Named::check_before(&model, history, before_index, &options.budget).ok()?;
        let order = orders(&model, history, before_index, options);
        Some(Modelled { order, ..Modelled::of(checks, Named::name(&model), history, options) })
    }

    fn of(
        checks: Vec<KeyCheck<'_>>,
        name: &'static str,
        history: &History,
        options: &Options,
    ) -> Modelled {
        let key_of = |key: Option<KeyId>| key.and_then(|key| history[key].clone());
        let plan = checks
            .iter()
            .filter(|_| options.explain)
            .map(|check| KeyPlan { key: key_of(check.key), procedure: check.procedure.to_owned() });
        let plan = plan.collect();
        let mut linearizable = Verdict::Valid;
        let mut witnesses = Vec::new();
        for check in checks {
            let key = key_of(check.key);
            linearizable = linearizable.and(match check.outcome {
                Outcome::Linearizable => Verdict::Valid,
                Outcome::NotLinearizable(witness) => {
                    witnesses.push((key, witness));
                    Verdict::Invalid
                }
                Outcome::Exhausted { passed, limit } => {
                    let key = key.map_or(String::new(), |key| format!("key {key}: "));
                    Verdict::unknown(format!(
                        "budget: {key}the limit on {limit} ended the search after {passed} answers"
                    ))
                }
            });
        }
        let count = witnesses.len() as u64;
        let smallest = witnesses.into_iter().min_by_key(|(_, witness)| {
            (witness.len(), witness.last().map(|operation| operation.invoked.index))
        });
        let violations = smallest.map(|(key, witness)| Violation {
            name: "non-linearizable",
            key,
            witness: witness.iter().map(|operation| operation.invoked.index).collect(),
            because: because(history, name, &witness),
            count,
            reached: None,
            shape: None,
            dependencies: Vec::new(),
            rules_out: vec![Rung::Linearizable],
        });
        let violations = violations.into_iter().collect();
        Modelled { linearizable, violations, plan, order: BTreeMap::new() }
    }
}

fn orders(
    model: &dyn Named,
    history: &History,
    before_index: Option<u64>,
    options: &Options,
) -> BTreeMap<String, Vec<u64>> {
    match before_index {
        None if options.order => model.orders(history, &options.budget),
        _ => BTreeMap::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(held) => !held,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(registers) => registers.is_empty(),
    }
}

fn because(history: &History, model: &str, witness: &[&Operation]) -> Vec<String> {
    let untold = witness.len().saturating_sub(TOLD);
    let mut because = Vec::new();
    if untold > 0 {
        because.push(format!("{untold} operations came first"));
    }
    let teller = Teller { history };
    because.extend(witness[untold..].iter().map(|operation| teller.clause(operation)));
    because.push(match witness.len() {
        1 => format!("no moment of its interval explains what this {model} answered"),
        many => format!(
            "no order of these {many} operations on a {model}, each at some moment of its interval, \
             explains every answer"
        ),
    });
    because
}
