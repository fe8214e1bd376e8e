//! A counter that clients add to and read (Jepsen's counter).

use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `counter`.
pub const WORKLOAD: Workload = Workload {
    name: "counter",
    about: "Additions to one counter, and reads of it.",
    load: |_| Box::new(Additions { model: Counter::NAME, least: 1, most: 5 }),
};

/// A whole number that begins with 0.
pub struct Counter;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Return the sum.
    Read,
    /// Add that.
    Add(i64),
}

impl Vocabulary for Counter {
    const NAME: &'static str = "counter";
    type Call = Call;
    /// The sum, for a read.
    type Ret = Option<i64>;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let call = match f {
            "read" => Some(Call::Read),
            "add" => value.as_i64().map(Call::Add),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "read null or add INTEGER",
        })
    }

    fn encode(call: &Call, ret: Option<i64>) -> Value {
        match call {
            Call::Read => ret.map_or(Value::Null, Value::from),
            Call::Add(by) => (*by).into(),
        }
    }
}

/// Additions of whole numbers, and reads.
pub(super) struct Additions {
    pub model: &'static str,
    /// The least that is added.
    pub least: i64,
    pub most: i64,
}

impl Load for Additions {
    fn vocabulary(&self) -> &'static str {
        Counter::NAME
    }

    fn model(&self) -> &'static str {
        self.model
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let (least, most) = (self.least, self.most);
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut invocation = match ctx.rng.random_bool(0.5) {
                true => Invocation::keyless("read", Value::Null),
                false => Invocation::keyless("add", ctx.rng.random_range(least..=most)),
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }

    fn finals(&self, _keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals_of_one(converge_within)
    }
}
