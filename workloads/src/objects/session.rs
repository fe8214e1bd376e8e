//! Registers for clients that move from node to node, to see which guarantees a session has there: whether
//! it reads its own writes, never goes back in time, and so on up the ladder (Terry et al., "Session
//! Guarantees for Weakly Consistent Replicated Data", 1994).

use super::Workload;
use super::register::Registers;

/// The workload `session`.
pub const WORKLOAD: Workload = Workload {
    name: "session",
    about: "Reads and unique writes of few registers, by clients that move between nodes.",
    load: |settings| Box::new(Registers::of_sessions(settings)),
};
