//! The exact check of one key, by the engine in [`crate::linearizable`].

use super::prepare::Register;
use crate::history::Operation;
use crate::linearizable::{self, Budget, Outcome, RegisterOp, check_register};
use crate::violation::Anomaly;

/// Whether one key's operations can be put in an order that explains every answer, each operation
/// between its invocation and its completion (Herlihy and Wing 1990).
pub(crate) enum Linearizability<'h> {
    Linearizable,
    /// These operations alone are a violation already.
    NotLinearizable(Vec<&'h Operation>),
    /// Given up, and how far it had come.
    Exhausted(String),
}

/// Asks the engine about a register with these [operations](Register::operations).
pub(crate) fn linearizability<'h>(
    register: &Register<'h>,
    calls: &[RegisterOp],
    budget: &Budget,
) -> Linearizability<'h> {
    match check_register(register.initial, calls, budget) {
        Outcome::Linearizable => Linearizability::Linearizable,
        Outcome::NotLinearizable { witness } => {
            let operation = |at: usize| register.operation_at(calls[at].invoked);
            let witness = witness.into_iter().filter_map(operation).collect();
            Linearizability::NotLinearizable(witness)
        }
        Outcome::Exhausted { explored, passed, limit, .. } => {
            let answers = calls.iter().filter(|call| call.returned.is_some()).count();
            Linearizability::Exhausted(format!(
                "the limit on {limit} ended the search at answer {passed} of {answers}, after \
                 {explored} configurations"
            ))
        }
    }
}

/// How one key was decided, given what was found.
pub(crate) fn procedure(register: &Register<'_>, anomalies: &[Anomaly<'_>]) -> String {
    let is_search_needless =
        |anomaly: &Anomaly<'_>| !matches!(anomaly, Anomaly::NonLinearizable(_));
    if anomalies.iter().any(is_search_needless) {
        return "anomalies: a few operations prove it by themselves".to_owned();
    }
    linearizable::procedure(register.initial, &register.operations()).to_string()
}
