//! The phases of a run.

use serde::{Deserialize, Serialize};

use super::Moment;

/// A part of a run. Every event belongs to the phase of the last `phase` event before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nodes are made.
    Provision,
    /// The system under test is started.
    Setup,
    /// Operations without faults.
    Baseline,
    /// Operations and faults.
    Main,
    /// Faults are undone.
    Heal,
    /// Open operations come to their end.
    Quiesce,
    /// Every key is read at every node, in rounds.
    Final,
    /// Operations on fresh keys.
    After,
    /// Logs are fetched.
    Collect,
    /// Everything is taken down.
    Teardown,
}

/// The beginning of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseStart {
    /// The phase that begins.
    pub phase: Phase,
    /// When.
    pub at: Moment,
}
