//! What can break in a cluster, how it is undone, and what a fault needs of a node.
//!
//! Knows nothing of workloads, histories or checkers. A fault decides what to break
//! , the nemesis breaks it, proves that it is broken and undoes it, and a
//! [`Cluster`] is where it happens.

pub mod iptables;
pub mod journal;
pub mod node;

pub use node::{Capability, Cluster, Link, Links, Processes};
