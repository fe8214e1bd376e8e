//! What the nodes' programs may use of their machine.

use std::time::Duration;

use super::NodeError;

/// What a node's processes, all together, may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Time to compute, in percent of one core.
    Cpu {
        /// Above 0; 100 is one core.
        percent: f64,
    },
    /// Memory, in bytes. Who needs more is killed by the operating system.
    Memory {
        /// How many.
        bytes: u64,
    },
}

/// What a [`Limit`] is a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Time to compute.
    Cpu,
    /// Memory.
    Memory,
}

impl Limit {
    /// What it is a limit of.
    pub fn resource(self) -> Resource {
        match self {
            Limit::Cpu { .. } => Resource::Cpu,
            Limit::Memory { .. } => Resource::Memory,
        }
    }
}

/// A limit as the operating system reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The limit that holds now, which may be rounded to what the system can count; `None` if
    /// there is none.
    pub limit: Option<Limit>,
    /// The processes that it holds for, by number.
    pub processes: Vec<i32>,
    /// How often the system has had to hold somebody back, ever since the node was made: periods
    /// in which a process waited for time, or allocations that did not fit.
    pub enforced: u64,
    /// How much memory they use now, in bytes; 0 for other resources.
    pub used_bytes: u64,
}

/// Control of what the nodes' programs may use. It holds for all processes of a node, those that
/// are started later too.
pub trait Limits: Send + Sync {
    /// Sets a limit. Where the memory in use is more than it already, processes die of it.
    ///
    /// # Errors
    /// The system does not take it.
    fn set(&self, node: usize, limit: Limit) -> Result<(), NodeError>;

    /// Takes a limit away; that there is none is no error.
    ///
    /// # Errors
    /// The system does not take it back.
    fn lift(&self, node: usize, resource: Resource) -> Result<(), NodeError>;

    /// What holds now, read back from the operating system.
    ///
    /// # Errors
    /// It cannot be read.
    fn held(&self, node: usize, resource: Resource) -> Result<Held, NodeError>;

    /// Has one more process at the node compute without a pause for `wait`; how much time of a
    /// core it was given.
    ///
    /// # Errors
    /// It could not be started.
    fn spin(&self, node: usize, wait: Duration) -> Result<Duration, NodeError>;
}
