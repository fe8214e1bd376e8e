//! What can break in a cluster, how it is undone, and what a fault needs of a node.
//!
//! Knows nothing of workloads, histories or checkers. A [`faults::Fault`] decides what to break
//! ([`faults::Action`]), [`Nemesis`] breaks it, proves that it is broken and undoes it, and a
//! [`Cluster`] is where it happens.

pub mod clock;
pub mod conformance;
pub mod disk;
pub mod faults;
pub mod grudge;
pub mod iptables;
pub mod journal;
pub mod memory;
mod nemesis;
pub mod node;
pub mod schedule;
pub mod shaping;

pub use nemesis::{Effect, FaultId, Nemesis, Proof, VERIFY_LIMIT};
pub use node::{Capability, Cluster, Limits, Link, Links, Members, Processes};
