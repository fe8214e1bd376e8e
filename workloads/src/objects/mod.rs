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

/// What a plan can set of a workload. Absent is what the workload usually does.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Objects that are worked on at the same time.
    pub keys: Option<usize>,
    /// An object is retired and replaced by a fresh one after about so many operations; one that transactions
    /// work on, after so many writes.
    pub ops_per_key: Option<usize>,
    /// How the next one is chosen.
    pub choice: Option<KeyChoice>,
    /// The fewest steps of a transaction, at least 1 ([`MIN_TXN_LENGTH`]).
    pub min_txn_length: Option<usize>,
    /// The most steps of a transaction, not below the fewest ([`MAX_TXN_LENGTH`]).
    pub max_txn_length: Option<usize>,
    /// Values are drawn from so many, at least 1; absent: none is written twice ([`VALUES`]).
    pub values: Option<u32>,
    /// How many accounts there are, at least 2 ([`ACCOUNTS`]).
    pub accounts: Option<usize>,
    /// What they hold together, not below 0 ([`TOTAL`]).
    pub total: Option<i64>,
    /// The most that moves at once, at least 1 ([`MAX_TRANSFER`]).
    pub max_transfer: Option<i64>,
    /// Whether accounts may hold less than nothing ([`NEGATIVE_BALANCES`]).
    pub negative_balances: bool,
    /// How consumers of logs come to those that they poll ([`SUB_VIA`]).
    pub sub_via: Option<log::SubVia>,
    /// Whether sends and polls of logs mix in transactions ([`TXN`]).
    pub txn: bool,
    /// Whether consumers of logs crash now and then ([`CRASH_CLIENTS`]).
    pub crash_clients: bool,
    /// Whether the database has an atomic compare-and-set.
    pub cas: bool,
}

/// Names of settings, of which no workload has all; see [`Load::heeds`].
pub const KEYS: &str = "keys";
/// The same.
pub const OPS_PER_KEY: &str = "ops_per_key";
/// The same.
pub const KEY_CHOICE: &str = "key_choice";
/// The same.
pub const MIN_TXN_LENGTH: &str = "min_txn_length";
/// The same.
pub const MAX_TXN_LENGTH: &str = "max_txn_length";
/// The same.
pub const VALUES: &str = "values";
/// The same.
pub const ACCOUNTS: &str = "accounts";
/// The same.
pub const TOTAL: &str = "total";
/// The same.
pub const MAX_TRANSFER: &str = "max_transfer";
/// The same.
pub const NEGATIVE_BALANCES: &str = "negative_balances";

/// The same.
pub const SUB_VIA: &str = "sub_via";
/// The same.
pub const TXN: &str = "txn";
/// The same.
pub const CRASH_CLIENTS: &str = "crash_clients";

/// The same; it is seen to where clients are connected.
pub const VALUE_BYTES: &str = "value_bytes";

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            keys: None,
            ops_per_key: None,
            choice: None,
            min_txn_length: None,
            max_txn_length: None,
            values: None,
            accounts: None,
            total: None,
            max_transfer: None,
            negative_balances: false,
            sub_via: None,
            txn: false,
            crash_clients: false,
            cas: true,
        }
    }
}

impl Settings {
    /// Objects at a time, where these are usual; at least one.
    pub(crate) fn keys(&self, usual: usize) -> usize {
        self.keys.unwrap_or(usual).max(1)
    }

    /// Operations until one is replaced, where these are usual; at least one.
    pub(crate) fn ops_per_key(&self, usual: usize) -> usize {
        self.ops_per_key.unwrap_or(usual).max(1)
    }

    /// The fewest and the most steps, where these are usual. Of one that is given alone the other follows.
    pub(crate) fn lengths(&self, [fewest, most]: [usize; 2]) -> [usize; 2] {
        match (self.min_txn_length, self.max_txn_length) {
            (Some(fewest), Some(most)) => [fewest, most.max(fewest)],
            (Some(fewest), None) => [fewest, most.max(fewest)],
            (None, Some(most)) => [fewest.min(most), most],
            (None, None) => [fewest, most],
        }
    }

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
    /// Which settings mean something to it, by their names.
    fn heeds(&self) -> &'static [&'static str] {
        &[]
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
