//! The workloads: one file each, and one line each in `all.rs`.

mod all;
pub mod register;
pub mod set;

use std::time::Duration;

pub use all::ALL;

use crate::generator::{Generator, Probes};

/// What clients do in a run, bound to a vocabulary.
pub struct Workload {
    /// Name in kebab case.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Builds the load for one run.
    pub load: fn(&Settings) -> Box<dyn Load>,
}

/// What a plan can set of a workload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Objects that are worked on at the same time.
    pub keys: usize,
    /// An object is retired and replaced by a fresh one after about so many operations.
    pub ops_per_key: usize,
    /// Whether the database has an atomic compare-and-set.
    pub cas: bool,
}

/// One workload at work: a generator for each phase that has one.
pub trait Load {
    /// Name of the vocabulary that it speaks, for the header and for picking the client.
    fn vocabulary(&self) -> &'static str;
    /// Whether no two writes of one key have the same value.
    fn unique_writes(&self) -> bool;
    /// Operations without end, before and during the faults. Not yet paced.
    fn main(&mut self) -> Box<dyn Generator>;
    /// The same on fresh objects, after everything has healed.
    fn after(&mut self) -> Box<dyn Generator>;
    /// Rounds of reads of one key at all nodes at once, by their own clock, for as long as
    /// [`Load::main`] or, with `after`, [`Load::after`] writes to that key.
    fn probes(&self, after: bool) -> Probes;
    /// Reads of `keys` at every node.
    fn finals(&self, keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator>;
}

/// The workload of that name.
pub fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().copied().find(|workload| workload.name == name)
}
