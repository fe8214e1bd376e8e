//! What a plan says of the workload.

use anyhow::bail;
use serde::{Deserialize, Serialize};
use splitbrain_workloads::KeyChoice;
use splitbrain_workloads::objects::log::SubVia;
use splitbrain_workloads::objects::{
    self, ACCOUNTS, CRASH_CLIENTS, KEY_CHOICE, KEYS, MAX_TRANSFER, MAX_TXN_LENGTH, MIN_TXN_LENGTH,
    NEGATIVE_BALANCES, OPS_PER_KEY, SUB_VIA, Settings, TOTAL, TXN, VALUE_BYTES, VALUES, Workload,
};
use splitbrain_workloads::padding::ValueBytes;

use crate::databases::Database;

/// More steps are no transaction that anybody would wait for.
const STEPS_MOST: i64 = 1_000;
/// Every read shows all accounts, and a transaction of the bundled store has no more steps.
const ACCOUNTS_MOST: i64 = 1_000;
/// So that no sum of balances is ever too large.
const MONEY_MOST: i64 = 1_000_000_000_000;

/// What clients do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkloadPlan {
    /// Its name.
    pub name: String,
    /// Objects worked on at the same time. Absent: 5, or for transactions 10, of which 3 if all are
    /// chosen alike, as in Jepsen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<usize>,
    /// Operations after which an object is retired, about. Absent: 100, or for transactions 256 writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ops_per_key: Option<usize>,
    /// How the next object is chosen: `uniform`, `zipf`, `exponential` or `hot`. Absent: as Jepsen
    /// does, exponential for transactions and uniform for all else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_choice: Option<KeyChoice>,
    /// The fewest steps of a transaction. Absent: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_txn_length: Option<usize>,
    /// The most steps of a transaction. Absent: 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_txn_length: Option<usize>,
    /// Values are drawn from so many. Absent: none is written twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<u32>,
    /// How large the values of transactions are in the database, in bytes: a number, or a range such as
    /// `64..4096`. Absent: as small as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<ValueBytes>,
    /// Accounts of a bank. Absent: 8, as in Jepsen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<usize>,
    /// What they hold together, in even shares at first. Absent: 100, as in Jepsen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// The most that a transfer moves. Absent: 5, as in Jepsen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_transfer: Option<i64>,
    /// Whether transfers are carried out that leave less than nothing in an account.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub negative_balances: bool,
    /// How consumers of logs come to those that they poll: `assign`, `subscribe` or `both`. Absent:
    /// `assign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_via: Option<SubVia>,
    /// Whether sends and polls of logs mix in transactions.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub txn: bool,
    /// Whether consumers of logs crash now and then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub crash_clients: bool,
    /// Operations a second, over all nodes.
    pub rate: f64,
    /// Clients for each node.
    pub concurrency: usize,
    /// Whether some clients go to another node after each operation, which is what session
    /// guarantees break on; otherwise each stays at its own.
    pub moving: bool,
    /// A closed loop of so many clients over all nodes, each of which asks again as soon as it has
    /// been answered; then neither the rate nor the concurrency counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<usize>,
}

impl WorkloadPlan {
    /// What a workload is told of it, against this database.
    pub fn settings(&self, database: &dyn Database) -> Settings {
        Settings {
            keys: self.keys,
            ops_per_key: self.ops_per_key,
            choice: self.key_choice,
            min_txn_length: self.min_txn_length,
            max_txn_length: self.max_txn_length,
            values: self.values,
            accounts: self.accounts,
            total: self.total,
            max_transfer: self.max_transfer,
            negative_balances: self.negative_balances,
            sub_via: self.sub_via,
            txn: self.txn,
            crash_clients: self.crash_clients,
            cas: database.has_cas(),
        }
    }

    /// Whether its figures are such that a run can be made of them, of this workload.
    ///
    /// # Errors
    /// In words: which of them is not, where it stands and what is allowed.
    pub fn check(&self, workload: &Workload) -> anyhow::Result<()> {
        if !(self.rate > 0.0 && self.rate <= 1e6) {
            bail!("the rate is {}; it must be above 0 and at most 1000000 a second", self.rate);
        }
        if self.clients == Some(0) {
            bail!("the clients of the closed loop are 0; there must be at least 1");
        }
        if !(1..=1_000).contains(&self.concurrency) {
            bail!("the concurrency is {}; allowed are 1 to 1000 a node", self.concurrency);
        }
        for Figure { name, value, least, most } in self.figures() {
            let Some(value) = value else { continue };
            if !(least..=most).contains(&value) {
                bail!("workload.{name} is {value}; allowed are {least} to {most}");
            }
            let heeds =
                |workload: &Workload| (workload.load)(&Settings::default()).heeds().contains(&name);
            if !heeds(workload) {
                let others =
                    objects::ALL.iter().filter(|other| heeds(other)).map(|other| other.name);
                bail!(
                    "workload.{name} means nothing to the workload {}; it does to: {}",
                    workload.name,
                    others.collect::<Vec<_>>().join(", ")
                );
            }
        }
        if let (Some(fewest), Some(most)) = (self.min_txn_length, self.max_txn_length)
            && fewest > most
        {
            bail!(
                "workload.{MIN_TXN_LENGTH} is {fewest}; allowed are 1 to workload.{MAX_TXN_LENGTH}, which is {most}"
            );
        }
        Ok(())
    }

    /// What is set, of which not every workload has everything.
    fn figures(&self) -> [Figure; 14] {
        let figure = |name, value, least, most| Figure { name, value, least, most };
        // Any that is understood is allowed.
        let said = |name, is_said: bool| figure(name, is_said.then_some(1), 1, 1);
        let count = |count: Option<usize>| count.map(|count| count as i64);
        [
            figure(KEYS, count(self.keys), 1, 1_000_000),
            figure(OPS_PER_KEY, count(self.ops_per_key), 1, 1_000_000_000),
            said(KEY_CHOICE, self.key_choice.is_some()),
            figure(MIN_TXN_LENGTH, count(self.min_txn_length), 1, STEPS_MOST),
            figure(MAX_TXN_LENGTH, count(self.max_txn_length), 1, STEPS_MOST),
            figure(VALUES, self.values.map(i64::from), 1, i64::from(u32::MAX)),
            figure(ACCOUNTS, count(self.accounts), 2, ACCOUNTS_MOST),
            figure(TOTAL, self.total, 1, MONEY_MOST),
            figure(MAX_TRANSFER, self.max_transfer, 1, MONEY_MOST),
            said(VALUE_BYTES, self.value_bytes.is_some()),
            said(NEGATIVE_BALANCES, self.negative_balances),
            said(SUB_VIA, self.sub_via.is_some()),
            said(TXN, self.txn),
            said(CRASH_CLIENTS, self.crash_clients),
        ]
    }
}

/// A setting with its bounds.
struct Figure {
    name: &'static str,
    value: Option<i64>,
    least: i64,
    most: i64,
}

impl Default for WorkloadPlan {
    fn default() -> WorkloadPlan {
        WorkloadPlan {
            name: "register".to_owned(),
            keys: None,
            ops_per_key: None,
            key_choice: None,
            min_txn_length: None,
            max_txn_length: None,
            values: None,
            value_bytes: None,
            accounts: None,
            total: None,
            max_transfer: None,
            negative_balances: false,
            sub_via: None,
            txn: false,
            crash_clients: false,
            moving: true,
            rate: 200.0,
            concurrency: 2,
            clients: None,
        }
    }
}
