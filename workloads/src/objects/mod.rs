//! The workloads: one file each, and one line each in `all.rs`.

mod all;
pub mod append;
pub mod bank;
pub mod causal;
pub mod causal_reverse;
pub mod counter;
pub mod echo;
pub mod fenced_set;
pub mod g2;
pub mod lock;
pub mod lock_set;
pub mod log;
pub mod long_fork;
pub mod monotonic;
pub mod pn_counter;
pub mod queue;
pub mod register;
pub mod sequential;
pub mod session;
pub mod set;
pub mod set_full;
pub mod set_remove;
pub mod total_queue;
pub mod unique_ids;
pub mod watch;
pub mod wr;

use std::time::Duration;

pub use all::ALL;

use serde_json::Value;

use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Probes, each};

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
    /// How the next one is chosen; absent: as the workload usually does.
    pub choice: Option<KeyChoice>,
    /// Whether the database has an atomic compare-and-set.
    pub cas: bool,
}

impl Settings {
    /// The place of the object that comes next, of so many.
    pub(crate) fn choose(&self, usual: KeyChoice, ctx: &mut Context, count: usize) -> usize {
        self.choice.unwrap_or(usual).of(ctx, count)
    }
}

/// One workload at work: a generator for each phase that has one.
pub trait Load {
    /// Name of the vocabulary that it speaks, for picking the client.
    fn vocabulary(&self) -> &'static str;
    /// What its history is judged as: a model or a check by its name, for the header.
    fn model(&self) -> &'static str {
        self.vocabulary()
    }
    /// Whether no two writes of one key have the same value.
    fn unique_writes(&self) -> bool {
        false
    }
    /// What the objects hold before the first operation.
    fn initial(&self) -> Value {
        Value::Null
    }
    /// Operations without end, before and during the faults. Not yet paced.
    fn main(&mut self) -> Box<dyn Generator>;
    /// The same after everything has healed, on fresh objects where the old ones are read in the end.
    fn after(&mut self) -> Box<dyn Generator> {
        self.main()
    }
    /// Rounds of reads of one key at all nodes at once, by their own clock, for as long as
    /// [`Load::main`] or, with `after`, [`Load::after`] writes to that key; none where there is no
    /// such key.
    fn probes(&self, _after: bool) -> Option<Probes> {
        None
    }
    /// What shows in the end what has become of everything: reads of `keys` at every node, say.
    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        Box::new(each(Vec::new()))
    }
}

/// The workload of that name.
pub fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().copied().find(|workload| workload.name == name)
}
