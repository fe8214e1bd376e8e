//! The same as `lock-set`, but what is written names the lock's token and is refused if the lock has had
//! another holder since: a fencing token. So nothing is lost, even by a lock that two hold at once.

use serde_json::Value;

use super::Workload;
use super::set::{Call, Elements, Set};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `fenced-set`.
pub const WORKLOAD: Workload = Workload {
    name: "fenced-set",
    about: "Elements that are added to sets by whoever holds their lock, and only with its last token.",
    load: |settings| Box::new(Elements::new("set-full", 0.3, settings).spoken_as(FencedSet::NAME)),
};

/// A set of whole numbers that is read and written under a lock with fencing tokens.
pub struct FencedSet;

impl Vocabulary for FencedSet {
    const NAME: &'static str = "fenced-set";
    type Call = Call;
    type Ret = Option<Vec<Value>>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        Set::decode(f, key, value)
    }

    fn encode(call: &Call, ret: Option<Vec<Value>>) -> Value {
        Set::encode(call, ret)
    }
}
