//! Objects of several parts, which one client writes one after another and others read in the opposite
//! order (the `sequential` workload of Jepsen's CockroachDB tests): who sees a later part sees the
//! earlier ones.

use std::sync::{Arc, Mutex};

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `sequential`.
pub const WORKLOAD: Workload = Workload {
    name: "sequential",
    about: "Objects whose parts are written one after another and read from the last to the first.",
    load: |_| Box::new(Writers::default()),
};

/// An object of [`PARTS`] parts.
pub struct Sequential;

/// How many parts an object has.
pub const PARTS: usize = 5;

/// A call on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which object.
    pub key: String,
    /// Whether all parts are written, each by itself, the first one first; otherwise they are read,
    /// each by itself, the last one first.
    pub writes: bool,
}

impl Vocabulary for Sequential {
    const NAME: &'static str = "sequential";
    type Call = Call;
    /// For a read the parts, the last one first, null for each that is not there.
    type Ret = Option<Vec<Value>>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        match (f, key) {
            ("read" | "write", Some(key)) => Ok(Call { key: key.to_owned(), writes: f == "write" }),
            _ => Err(Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and read null or write null",
            }),
        }
    }

    fn encode(_call: &Call, ret: Option<Vec<Value>>) -> Value {
        ret.map_or(Value::Null, Value::Array)
    }
}

/// Objects that are still read after they were written.
const RECENT: u64 = 10;

#[derive(Default)]
struct Writers {
    /// How many objects have been written.
    written: Arc<Mutex<u64>>,
}

impl Load for Writers {
    fn vocabulary(&self) -> &'static str {
        Sequential::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let written = self.written.clone();
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut written = written.lock().expect("no one panics here");
            let (f, object) = if *written == 0 || ctx.rng.random_bool(0.5) {
                *written += 1;
                ("write", *written)
            } else {
                let oldest = written.saturating_sub(RECENT) + 1;
                ("read", ctx.rng.random_range(oldest..=*written))
            };
            let node = Some(ctx.rng.random_range(0..ctx.nodes));
            Invocation { node, ..Invocation::new(f, object.to_string(), Value::Null) }
        }))
    }
}
