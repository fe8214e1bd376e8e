//! Identifiers that are to be unique (Jepsen's unique-ids).

use rand::RngExt;
use serde_json::Value;

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `unique-ids`.
pub const WORKLOAD: Workload = Workload {
    name: "unique-ids",
    about: "Requests for identifiers of which no two may be the same.",
    load: |_| Box::new(Requests),
};

/// A source of identifiers.
pub struct UniqueIds;

impl Vocabulary for UniqueIds {
    const NAME: &'static str = "unique-ids";
    /// There is only one.
    type Call = ();
    /// The identifier.
    type Ret = Value;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<(), Malformed> {
        match f {
            "generate" => Ok(()),
            _ => Err(Malformed { found: format!("{f} {value}"), expected: "generate null" }),
        }
    }

    fn encode((): &(), id: Value) -> Value {
        id
    }
}

struct Requests;

fn operations() -> Box<dyn Generator> {
    Box::new(Repeat(|ctx: &mut Context| {
        let node = Some(ctx.rng.random_range(0..ctx.nodes));
        Invocation { node, ..Invocation::keyless("generate", Value::Null) }
    }))
}

impl Load for Requests {
    fn vocabulary(&self) -> &'static str {
        UniqueIds::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        operations()
    }
}
