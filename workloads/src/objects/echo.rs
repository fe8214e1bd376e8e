//! Whether an answer belongs to its question (Maelstrom's echo): each node sends back what it was sent.

use std::sync::{Arc, Mutex};

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `echo`.
pub const WORKLOAD: Workload = Workload {
    name: "echo",
    about: "Numbers that are sent to a node and must come back.",
    load: |_| Box::new(Calls::default()),
};

/// Something that repeats what it is told.
pub struct Echo;

impl Vocabulary for Echo {
    const NAME: &'static str = "echo";
    /// What it is told.
    type Call = i64;
    /// What it says then.
    type Ret = Value;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<i64, Malformed> {
        let told = value.as_i64().filter(|_| f == "echo");
        told.ok_or_else(|| Malformed { found: format!("{f} {value}"), expected: "echo INTEGER" })
    }

    fn encode(_: &i64, said: Value) -> Value {
        said
    }
}

#[derive(Default)]
struct Calls {
    /// How many there have been: no two say the same, or one's answer could pass for another's.
    made: Arc<Mutex<i64>>,
}

impl Load for Calls {
    fn vocabulary(&self) -> &'static str {
        Echo::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let made = self.made.clone();
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut made = made.lock().expect("no one panics here");
            *made += 1;
            let node = Some(ctx.rng.random_range(0..ctx.nodes));
            Invocation { node, ..Invocation::keyless("echo", *made) }
        }))
    }
}
