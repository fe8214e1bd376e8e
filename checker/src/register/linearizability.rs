//! The exact check of one key, by the engine in [`crate::linearizable`].

use super::prepare::Register;
use crate::history::Operation;
use crate::linearizable::{Budget, Outcome, check_register};

/// Whether one key's operations can be put in an order that explains every answer, each operation
/// between its invocation and its completion (Herlihy and Wing 1990).
pub(crate) enum Linearizability<'h> {
    Linearizable,
    /// These operations alone are a violation already.
    NotLinearizable(Vec<&'h Operation>),
    /// Given up.
    Exhausted {
        explored: u64,
    },
}

/// Asks the engine.
pub(crate) fn linearizability<'h>(register: &Register<'h>, budget: &Budget) -> Linearizability<'h> {
    let (calls, operations) = register.operations();
    match check_register(register.initial, &calls, budget) {
        Outcome::Linearizable => Linearizability::Linearizable,
        Outcome::NotLinearizable { witness } => {
            let witness = witness.into_iter().map(|at| operations[at]).collect();
            Linearizability::NotLinearizable(witness)
        }
        Outcome::Exhausted { explored, .. } => Linearizability::Exhausted { explored },
    }
}
