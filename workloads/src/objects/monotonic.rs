//! Numbers of which each transaction adds one more than the greatest that it finds in two tables (the
//! `monotonic` workload of Jepsen's CockroachDB tests): they grow with time, and none comes twice.

use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `monotonic`.
pub const WORKLOAD: Workload = Workload {
    name: "monotonic",
    about: "Transactions that add one more than the greatest number in two tables to one of them.",
    load: |_| Box::new(Additions),
};

/// Two tables of whole numbers.
pub struct Tables;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Return all numbers.
    Read,
    /// Add one more than the greatest, to the first table or the second. Where another was faster:
    /// [`splitbrain_checker::history::ErrorKind::Mismatch`].
    Add {
        /// To which, 0 or 1.
        table: usize,
    },
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// The numbers, in no order.
    All(Vec<Value>),
    /// The number that was added.
    Added(i64),
}

impl Vocabulary for Tables {
    const NAME: &'static str = "monotonic";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let call = match (f, value.as_u64()) {
            ("read", None) => Some(Call::Read),
            ("add", Some(table @ 0..=1)) => Some(Call::Add { table: table as usize }),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "read null, add 0 or add 1",
        })
    }

    fn encode(_call: &Call, ret: Ret) -> Value {
        match ret {
            Ret::All(numbers) => numbers.into(),
            Ret::Added(number) => number.into(),
        }
    }
}

/// One operation of so many reads.
const READ_ONE_IN: u32 = 20;

struct Additions;

impl Load for Additions {
    fn vocabulary(&self) -> &'static str {
        Tables::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        Box::new(Repeat(|ctx: &mut Context| {
            let mut invocation = match ctx.rng.random_range(0..READ_ONE_IN) {
                0 => Invocation::keyless("read", Value::Null),
                _ => Invocation::keyless("add", ctx.rng.random_range(0..2)),
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }

    fn finals(&self, _keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals_of_one(converge_within)
    }
}
