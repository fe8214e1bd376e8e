//! When which fault is to happen: pure functions of a length, a choice of faults and a seed.

mod contradiction;
mod cycled;
mod default;

pub use contradiction::contradiction;
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
    /// How many times before it has come, for one that comes and goes.
    pub beat: usize,
    /// The source of chance of its decision; see [`Scene`](crate::faults::Scene).
    pub seed: u64,
}

/// The faults of a run, in order of their beginning.
pub type Timeline = Vec<Step>;

impl Step {
    fn new(
        id: FaultId,
        at_ms: u64,
        for_ms: Option<u64>,
        choice: Choice,
        rng: &mut ChaCha8Rng,
    ) -> Step {
        Step { id, at_ms, for_ms, choice, beat: 0, seed: rng.random() }
    }
}

/// The same timeline with each fault that comes and goes as one step for each time that it comes,
/// until it ends or, if it has no end, the main phase does. Numbers are given anew, in order.
pub fn with_beats(timeline: &[Step], main_ms: u64) -> Timeline {
    let mut steps = Timeline::new();
    for step in timeline {
        let Some(beat) = step.choice.fault.beat.map(|beat| beat(&step.choice.args)) else {
            steps.push(step.clone());
            continue;
        };
        let end_ms = step.for_ms.map_or(main_ms, |for_ms| step.at_ms + for_ms);
        let on_ms = (beat.on.as_millis() as u64).max(1);
        let turn_ms = on_ms + beat.off.as_millis() as u64;
        let begins = (step.at_ms..end_ms).step_by(turn_ms as usize);
        steps.extend(begins.enumerate().map(|(beat, at_ms)| Step {
            at_ms,
            for_ms: Some(on_ms.min(end_ms - at_ms)),
            beat,
            ..step.clone()
        }));
    }
    steps.sort_by_key(|step| step.at_ms);
    (1..).zip(&mut steps).for_each(|(id, step)| step.id = id);
    steps
}

#[cfg(test)]
mod tests;
