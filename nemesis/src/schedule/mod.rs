//! When which fault is to happen: pure functions of a length, a choice of faults and a seed.

mod cycled;
mod default;

pub use cycled::cycled_timeline;
pub use default::default_timeline;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::FaultId;
use crate::faults::Choice;

/// One fault of a run.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number of the fault within the run, from 1.
    pub id: FaultId,
    /// When it begins, in milliseconds since the main phase began.
    pub at_ms: u64,
    /// How long it lasts, in milliseconds; `None` if it lasts until everything is healed, after
    /// the main phase.
    pub for_ms: Option<u64>,
    /// What happens, to whom.
    pub choice: Choice,
    /// The source of chance of its decision; see [`Scene`](crate::faults::Scene).
    pub seed: u64,
}

/// The faults of a run, in order; no two at the same time.
pub type Timeline = Vec<Step>;

impl Step {
    fn new(
        id: FaultId,
        at_ms: u64,
        for_ms: Option<u64>,
        choice: Choice,
        rng: &mut ChaCha8Rng,
    ) -> Step {
        Step { id, at_ms, for_ms, choice, seed: rng.random() }
    }
}

#[cfg(test)]
mod tests;
