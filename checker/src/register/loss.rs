//! Acknowledged writes that did not survive.

use super::prepare::{Attempt, Register};
use super::settled::{Settled, SettledValues};
use crate::history::Datum;

/// An acknowledged write that the final value cannot have replaced, because that value was written
/// before it.
#[derive(Clone, Copy)]
pub(crate) struct LostWrite<'h> {
    pub lost: Attempt<'h>,
    /// How the final value came about.
    pub settled: Settled<'h>,
}

/// The lost writes of a key whose replicas agreed in the end, in the order of invocation: those
/// acknowledged before `final_index` and invoked after the write of the agreed value had completed.
///
/// A write that loses to a concurrent one (last writer wins) is not lost: some order of the two
/// explains the final value.
pub(crate) fn lost_writes<'h>(
    register: &Register<'h>,
    agreed: &Datum,
    final_index: u64,
) -> Vec<LostWrite<'h>> {
    let Some(id) = register.values.find(agreed) else {
        return Vec::new();
    };
    let Some(settled) = SettledValues::of(register).get(id) else {
        return Vec::new();
    };
    let is_lost = |attempt: &&Attempt<'h>| {
        attempt.invoked >= settled.after && attempt.acknowledged.is_some_and(|at| at < final_index)
    };
    let lost = register.attempts.iter().filter(is_lost);
    lost.map(|attempt| LostWrite { lost: *attempt, settled }).collect()
}
