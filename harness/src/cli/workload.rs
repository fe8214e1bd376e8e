//! Flags that say what clients do, each as in a plan's `[workload]`.

use serde_json::Value;
use splitbrain_workloads::KeyChoice;
use splitbrain_workloads::objects::log::SubVia;
use splitbrain_workloads::padding::ValueBytes;

use crate::plan::WorkloadPlan;

/// Each goes before the plan's own value.
#[derive(clap::Args)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadArgs {
    /// What clients do.
    #[arg(long)]
    workload: Option<String>,
    /// Operations a second, over all nodes.
    #[arg(long)]
    rate: Option<f64>,
    /// Clients for each node.
    #[arg(long)]
    concurrency: Option<usize>,
    /// Objects that are worked on at the same time.
    #[arg(long)]
    keys: Option<usize>,
    /// Operations after which an object is replaced by a fresh one; of transactions, writes.
    #[arg(long)]
    ops_per_key: Option<usize>,
    /// How the next object is chosen: `uniform`, `zipf`, `exponential` or `hot`.
    #[arg(long, value_parser = key_choice)]
    key_choice: Option<KeyChoice>,
    /// The fewest steps of a transaction.
    #[arg(long)]
    min_txn_length: Option<usize>,
    /// The most steps of a transaction.
    #[arg(long)]
    max_txn_length: Option<usize>,
    /// Draw the values of registers from so many, in place of writing none twice.
    #[arg(long)]
    values: Option<u32>,
    /// How large the values of transactions are in the database, in bytes: a number, or a range such as
    /// 64..4096.
    #[arg(long)]
    value_bytes: Option<ValueBytes>,
    /// Accounts of a bank (8).
    #[arg(long)]
    accounts: Option<usize>,
    /// What the accounts hold together (100).
    #[arg(long, allow_negative_numbers = true)]
    total: Option<i64>,
    /// The most that a transfer moves (5).
    #[arg(long, allow_negative_numbers = true)]
    max_transfer: Option<i64>,
    /// Carry out transfers that leave less than nothing in an account too.
    #[arg(long)]
    negative_balances: bool,
    /// How consumers of logs come to those that they poll: `assign` (each for itself), `subscribe` (sharing
    /// them) or `both`.
    #[arg(long, value_parser = sub_via)]
    sub_via: Option<SubVia>,
    /// Mix sends and polls of logs in transactions.
    #[arg(long)]
    txn: bool,
    /// Have consumers of logs crash now and then.
    #[arg(long)]
    crash_clients: bool,
}

impl WorkloadArgs {
    /// Puts what was given into the plan.
    pub fn apply(self, plan: &mut WorkloadPlan) {
        plan.name = self.workload.unwrap_or(std::mem::take(&mut plan.name));
        plan.rate = self.rate.unwrap_or(plan.rate);
        plan.concurrency = self.concurrency.unwrap_or(plan.concurrency);
        plan.keys = self.keys.or(plan.keys);
        plan.ops_per_key = self.ops_per_key.or(plan.ops_per_key);
        plan.key_choice = self.key_choice.or(plan.key_choice);
        plan.min_txn_length = self.min_txn_length.or(plan.min_txn_length);
        plan.max_txn_length = self.max_txn_length.or(plan.max_txn_length);
        plan.values = self.values.or(plan.values);
        plan.value_bytes = self.value_bytes.or(plan.value_bytes);
        plan.accounts = self.accounts.or(plan.accounts);
        plan.total = self.total.or(plan.total);
        plan.max_transfer = self.max_transfer.or(plan.max_transfer);
        plan.negative_balances |= self.negative_balances;
        plan.sub_via = self.sub_via.or(plan.sub_via);
        plan.txn |= self.txn;
        plan.crash_clients |= self.crash_clients;
    }
}

/// The error says what there is.
fn key_choice(name: &str) -> Result<KeyChoice, String> {
    serde_json::from_value(Value::from(name)).map_err(|error| error.to_string())
}

/// The same.
fn sub_via(name: &str) -> Result<SubVia, String> {
    serde_json::from_value(Value::from(name)).map_err(|error| error.to_string())
}
