//! Registers that transactions write and read (Elle's rw-register). No value is written twice to a
//! register, so that each read names its write.

use serde_json::Value;

use super::Workload;
use crate::transaction::{self, Action, Step};
use crate::transactions::Transactions;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `wr`.
pub const WORKLOAD: Workload = Workload {
    name: "wr",
    about: "Transactions that write several registers and read them.",
    load: |settings| Box::new(Transactions::new(settings, RwRegister::NAME, Action::Write)),
};

/// Registers that hold a whole number or nothing.
pub struct RwRegister;

impl Vocabulary for RwRegister {
    const NAME: &'static str = "rw-register";
    type Call = Vec<Step>;
    type Ret = Vec<Step>;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Vec<Step>, Malformed> {
        transaction::decode(f, value, &["txn"])
    }

    fn encode(_call: &Vec<Step>, ret: Vec<Step>) -> Value {
        transaction::encode(&ret)
    }
}
