//! Lists that transactions append to and read (Elle's list-append): what was read of a list shows the
//! order of all that was appended before.

use serde_json::Value;

use super::Workload;
use crate::transaction::{self, Action, Step};
use crate::transactions::Transactions;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `append`.
pub const WORKLOAD: Workload = Workload {
    name: "append",
    about: "Transactions that append to several lists and read them.",
    load: |settings| Box::new(Transactions::new(settings, ListAppend::NAME, Action::Append)),
};

/// Lists that hold whole numbers.
pub struct ListAppend;

impl Vocabulary for ListAppend {
    const NAME: &'static str = "list-append";
    type Call = Vec<Step>;
    type Ret = Vec<Step>;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Vec<Step>, Malformed> {
        transaction::decode(f, value, &["txn"])
    }

    fn encode(_call: &Vec<Step>, ret: Vec<Step>) -> Value {
        transaction::encode(&ret)
    }
}
