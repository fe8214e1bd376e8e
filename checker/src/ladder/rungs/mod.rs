//! The rungs: one file each, and one line in the list.

pub(crate) mod causal;
pub(crate) mod causal_convergence;
mod converged;
mod linearizable;
pub(crate) mod monotonic_reads;
pub(crate) mod monotonic_writes;
pub(crate) mod pram;
pub(crate) mod read_your_writes;
pub(crate) mod sequential;
pub(crate) mod weak_causal;
pub(crate) mod writes_follow_reads;

use super::argument::Argument;
use super::facts::{Answer, Facts};
use super::rung::Rung;
use super::sessions::Sessions;

/// A rung of the ladder.
pub(crate) trait Guarantee: Sync {
    fn rung(&self) -> Rung;

    /// The rungs that hold wherever this one does, without those that these imply again.
    fn implies(&self) -> &'static [Rung] {
        &[]
    }

    /// How it is decided, for people.
    fn procedure(&self) -> &'static str {
        "each session: saturation of its view"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer;

    /// Why few operations break it, step by step; `None` if they do not, or if the argument is told
    /// elsewhere.
    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        let _ = sessions;
        None
    }
}

/// All rungs, each before those that it implies.
pub(crate) const ALL: &[&dyn Guarantee] = &[
    &linearizable::Linearizable,
    &sequential::Sequential,
    &causal::Causal,
    &causal_convergence::CausalConvergence,
    &weak_causal::WeakCausal,
    &pram::Pram,
    &writes_follow_reads::WritesFollowReads,
    &monotonic_writes::MonotonicWrites,
    &monotonic_reads::MonotonicReads,
    &read_your_writes::ReadYourWrites,
    &converged::Converged,
];
