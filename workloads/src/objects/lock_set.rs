//! Sets whose elements are added under a lock: whoever holds it reads the set and writes it back with one
//! more element (Jepsen's lock-set for etcd). If two hold the lock at once, elements are lost.

use serde_json::Value;

use super::Workload;
use super::set::{Call, Elements, Set};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `lock-set`.
pub const WORKLOAD: Workload = Workload {
    name: "lock-set",
    about: "Elements that are added to sets by whoever holds their lock.",
    load: |settings| Box::new(Elements::new("set-full", 0.3, settings).spoken_as(LockSet::NAME)),
};

/// A set of whole numbers that is read and written under a lock.
pub struct LockSet;

impl Vocabulary for LockSet {
    const NAME: &'static str = "lock-set";
    type Call = Call;
    type Ret = Option<Vec<Value>>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        Set::decode(f, key, value)
    }

    fn encode(call: &Call, ret: Option<Vec<Value>>) -> Value {
        Set::encode(call, ret)
    }
}
