//! A key that changes all the time, and clients that watch it (the `watch` workload of Jepsen's etcd
//! tests): all are told the same changes, in the same order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use splitbrain_checker::history::Event;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat, UntilOk};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `watch`.
pub const WORKLOAD: Workload = Workload {
    name: "watch",
    about: "Changes of one key, and clients that are told of them all.",
    load: |_| Box::new(Changes::default()),
};

/// A key with a stream of its changes.
pub struct Watched;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Change the key to that.
    Write(i64),
    /// Return the changes that this client has not been told yet.
    Watch,
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// It was changed.
    Done,
    /// The revisions, each with the value that it made.
    Changes(Vec<(u64, Value)>),
}

impl Vocabulary for Watched {
    const NAME: &'static str = "watch";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let call = match f {
            "write" => value.as_i64().map(Call::Write),
            "watch" => Some(Call::Watch),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "write INTEGER or watch null",
        })
    }

    fn encode(call: &Call, ret: Ret) -> Value {
        match (call, ret) {
            (_, Ret::Changes(changes)) => json!(changes),
            (Call::Write(value), Ret::Done) => (*value).into(),
            (Call::Watch, Ret::Done) => Value::Null,
        }
    }
}

#[derive(Default)]
struct Changes {
    /// How many there have been.
    made: Arc<Mutex<i64>>,
}

impl Load for Changes {
    fn vocabulary(&self) -> &'static str {
        Watched::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let made = self.made.clone();
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut invocation = if ctx.rng.random_bool(0.5) {
                let mut made = made.lock().expect("no one panics here");
                *made += 1;
                Invocation::keyless("write", *made)
            } else {
                Invocation::keyless("watch", Value::Null)
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }

    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        let is_empty = |answer: &Event| answer.value == json!([]);
        let watch = Invocation::keyless("watch", Value::Null);
        Box::new(UntilOk::answering(is_empty, watch, 50))
    }
}
