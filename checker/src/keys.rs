//! Whether a history is linearizable, key by key.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::history::History;
use crate::linearizable::{Budget, is_plainly_linearizable, order};
use crate::modelled::Modelled;
use crate::models::list::Objects;
use crate::options::Options;
use crate::register::{
    Linearizability, Register, corruptions, linearizability, registers, stale_reads,
};
use crate::verdict::Verdict;
use crate::violation::Anomaly;

/// Whether what happened before the event of an index is linearizable.
pub(crate) fn linearizable_before(history: &History, options: &Options, index: u64) -> Verdict {
    if options.transactions(history).is_some() {
        return Verdict::unknown("transactions are judged as a whole only");
    }
    match options.objects(history) {
        Ok(Objects::Registers) => {}
        Ok(Objects::Of(model)) => {
            return match Modelled::check(model, history, Some(index), options) {
                Ok(modelled) => modelled.linearizable,
                Err(misfit) => Verdict::unknown(misfit.to_string()),
            };
        }
        Ok(Objects::Checked(check)) => {
            return Verdict::unknown(format!("{} is not asked for linearizability", check.name()));
        }
        Err(misfit) => return Verdict::unknown(misfit.to_string()),
    }
    let Ok(registers) = registers(history, &options.reading(history, Some(index))) else {
        return Verdict::unknown("there is no check for these operations");
    };
    let results = check_all(history, &registers, &options.budget).into_iter();
    let verdict = results.fold(Verdict::Valid, |all, result| all.and(result.linearizable));
    match with_failed_cas(history, Some(index), options) {
        Some(observed) if !verdict.is_invalid() => observed.linearizable,
        _ => verdict,
    }
}

/// What more is known of registers if failed compare-and-sets count, and there are some.
pub(crate) fn with_failed_cas(
    history: &History,
    before: Option<u64>,
    options: &Options,
) -> Option<Modelled> {
    let observes = options.observes_failures(history);
    observes.then(|| Modelled::with_failed_cas(history, before, options)).flatten()
}

/// An order for each key that has one.
pub(crate) fn orders(
    history: &History,
    registers: &[Register<'_>],
    options: &Options,
) -> BTreeMap<String, Vec<u64>> {
    let of = |register: &Register<'_>| {
        let ops = register.operations();
        let order = order(register.initial, &ops, &options.budget)?;
        let key = history[register.key].clone().unwrap_or_default();
        Some((key, order.into_iter().map(|at| ops[at].invoked).collect()))
    };
    registers.par_iter().filter_map(of).collect()
}

/// What one key's check says.
pub(crate) struct KeyResult<'h> {
    pub linearizable: Verdict,
    pub anomalies: Vec<Anomaly<'h>>,
}

/// Checks every key, in parallel and in order.
pub(crate) fn check_all<'h>(
    history: &History,
    registers: &[Register<'h>],
    budget: &Budget,
) -> Vec<KeyResult<'h>> {
    registers.par_iter().map(|register| check_key(history, register, budget)).collect()
}

/// What is quickly found linearizable has no anomaly, and an anomaly that is proven makes the search
/// superfluous.
fn check_key<'h>(history: &History, register: &Register<'h>, budget: &Budget) -> KeyResult<'h> {
    let calls = register.operations();
    if is_plainly_linearizable(register.initial, &calls) {
        return KeyResult { linearizable: Verdict::Valid, anomalies: Vec::new() };
    }
    let mut anomalies: Vec<Anomaly<'h>> =
        corruptions(register).into_iter().map(Anomaly::Corrupt).collect();
    anomalies.extend(stale_reads(register).into_iter().map(Anomaly::Stale));
    if !anomalies.is_empty() {
        return KeyResult { linearizable: Verdict::Invalid, anomalies };
    }
    let linearizable = match linearizability(register, &calls, budget) {
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
