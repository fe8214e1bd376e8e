//! What came of a fault.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Trouble;

/// What was observed that proves an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Directed links whose own rule has dropped a packet.
    pub blocked: usize,
    /// Directed links over which a probe has arrived since the change.
    pub passed: usize,
    /// Directed links whose quality was seen to be as bad as it is to be.
    pub shaped: usize,
    /// Processes that were seen to be gone, stopped, limited, going on or started.
    pub processes: usize,
    /// Nodes that were started and have ended again by themselves, after a fault of their disk.
    pub ended: usize,
    /// Nodes that agreed on who belongs to the cluster.
    pub agreed: usize,
    /// Nodes whose clock or disk was seen to be as it is to be.
    pub nodes: usize,
    /// From the decision to the last of these observations, in microseconds.
    pub took_us: u64,
}

/// What came of installing or undoing a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is verified to be in force.
    Installed(Proof),
    /// It is verified to be undone.
    Healed(Proof),
    /// Nothing was done, because of this.
    Skipped(String),
    /// It may or may not be as wanted, because of this.
    Indeterminate(String),
}

impl Effect {
    /// `installed`, `healed`, `skipped` or `indeterminate`.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::Installed(_) => "installed",
            Effect::Healed(_) => "healed",
            Effect::Skipped(_) => "skipped",
            Effect::Indeterminate(_) => "indeterminate",
        }
    }

    /// What was observed, if it is as wanted.
    pub fn proof(&self) -> Option<&Proof> {
        match self {
            Effect::Installed(proof) | Effect::Healed(proof) => Some(proof),
            Effect::Skipped(_) | Effect::Indeterminate(_) => None,
        }
    }

    /// Why it is not as wanted.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Effect::Installed(_) | Effect::Healed(_) => None,
            Effect::Skipped(reason) | Effect::Indeterminate(reason) => Some(reason),
        }
    }

    /// Puts the time since `begun` into a good effect, and makes one of a bad end.
    pub(super) fn of(result: Result<Effect, Trouble>, begun: Instant) -> Effect {
        let took_us = micros(begun.elapsed());
        match result {
            Ok(Effect::Installed(proof)) => Effect::Installed(Proof { took_us, ..proof }),
            Ok(Effect::Healed(proof)) => Effect::Healed(Proof { took_us, ..proof }),
            Ok(other) => other,
            Err(Trouble::Skip(reason)) => Effect::Skipped(reason),
            Err(Trouble::Unknown(reason)) => Effect::Indeterminate(reason),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
