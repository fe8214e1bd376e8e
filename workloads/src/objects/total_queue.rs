//! A queue that loses nothing (Jepsen's total-queue): all that goes in comes out, or is there in the
//! end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat, UntilOk};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `total-queue`.
pub const WORKLOAD: Workload = Workload {
    name: "total-queue",
    about: "Values that are put into one queue and taken out again.",
    load: |_| Box::new(Messages::new(TotalQueue::NAME, drain)),
};

/// A queue of whole numbers.
pub struct TotalQueue;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Put that in.
    Enqueue(i64),
    /// Take one out.
    Dequeue,
    /// Take all out.
    Drain,
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// It is in.
    Done,
    /// This one was taken out, or there was none.
    One(Option<Value>),
    /// All these were taken out.
    All(Vec<Value>),
}

impl Vocabulary for TotalQueue {
    const NAME: &'static str = "total-queue";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let call = match f {
            "enqueue" => value.as_i64().map(Call::Enqueue),
            "dequeue" => Some(Call::Dequeue),
            "drain" => Some(Call::Drain),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "enqueue INTEGER, dequeue null or drain null",
        })
    }

    fn encode(call: &Call, ret: Ret) -> Value {
        match (call, ret) {
            (_, Ret::One(value)) => value.unwrap_or_default(),
            (_, Ret::All(values)) => values.into(),
            (Call::Enqueue(value), Ret::Done) => (*value).into(),
            (_, Ret::Done) => Value::Null,
        }
    }
}

/// Values that go into one queue and come out again.
pub(super) struct Messages {
    model: &'static str,
    /// What empties the queue in the end.
    emptying: fn() -> UntilOk,
    /// How many values there have been.
    made: Arc<Mutex<i64>>,
}

impl Messages {
    /// Judged as `model`, and emptied in the end.
    pub(super) fn new(model: &'static str, emptying: fn() -> UntilOk) -> Messages {
        Messages { model, emptying, made: Arc::default() }
    }
}

fn drain() -> UntilOk {
    UntilOk::new(Invocation::keyless("drain", Value::Null), 10)
}

impl Load for Messages {
    fn vocabulary(&self) -> &'static str {
        TotalQueue::NAME
    }

    fn model(&self) -> &'static str {
        self.model
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let made = self.made.clone();
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut invocation = if ctx.rng.random_bool(0.5) {
                let mut made = made.lock().expect("no one panics here");
                *made += 1;
                Invocation::keyless("enqueue", *made)
            } else {
                Invocation::keyless("dequeue", Value::Null)
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }

    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        Box::new((self.emptying)())
    }
}
