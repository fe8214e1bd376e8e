//! Sets to which elements are added, each once, and which are read in the end, at every node (Jepsen's
//! set).

use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::{Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys::{self, MAIN, Pool};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `set`.
pub const WORKLOAD: Workload = Workload {
    name: "set",
    about: "Elements that are added to sets, which are read in the end.",
    load: |settings| Box::new(Elements::new("set", 0.0, settings)),
};

/// A set of whole numbers.
pub struct Set;

/// A call on one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which set.
    pub key: String,
    /// The element that is added; nothing to read them all.
    pub add: Option<i64>,
}

impl Vocabulary for Set {
    const NAME: &'static str = "set";
    type Call = Call;
    /// All elements, for a read.
    type Ret = Option<Vec<Value>>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let add = match f {
            "read" if value.is_null() => Some(None),
            "add" => value.as_i64().map(Some),
            _ => None,
        };
        key.zip(add).map(|(key, add)| Call { key: key.to_owned(), add }).ok_or_else(|| Malformed {
            found: format!("{f} {value} of key {key:?}"),
            expected: "a key and read null or add INTEGER",
        })
    }

    fn encode(call: &Call, ret: Option<Vec<Value>>) -> Value {
        ret.map(Value::Array).or(call.add.map(Value::from)).unwrap_or_default()
    }
}

/// Additions of elements, and reads of whole sets.
pub(super) struct Elements {
    vocabulary: &'static str,
    model: &'static str,
    /// Which part of all operations reads.
    reads: f64,
    settings: Settings,
}

impl Elements {
    /// Judged as `model`. Of all operations that part reads, and the others add.
    pub(super) fn new(model: &'static str, reads: f64, settings: &Settings) -> Elements {
        Elements { vocabulary: Set::NAME, model, reads, settings: settings.clone() }
    }

    /// The same in other words.
    pub(super) fn spoken_as(self, vocabulary: &'static str) -> Elements {
        Elements { vocabulary, ..self }
    }

    fn operations(&self, reads: f64) -> Box<dyn Generator> {
        let mut sets = Pool::<i64>::new(&MAIN, &self.settings);
        Box::new(Repeat(move |ctx: &mut Context| {
            let set = sets.ordinary(ctx);
            let mut invocation = if ctx.rng.random_bool(reads) {
                Invocation::new("read", set.name.clone(), Value::Null)
            } else {
                set.memory += 1;
                Invocation::new("add", set.name.clone(), set.memory)
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }
}

impl Load for Elements {
    fn vocabulary(&self) -> &'static str {
        self.vocabulary
    }

    fn model(&self) -> &'static str {
        self.model
    }

    fn heeds(&self) -> &'static [&'static str] {
        keys::SETTINGS
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations(self.reads)
    }

    /// The same sets once more: what is added now, nobody would read in the end.
    fn after(&mut self) -> Box<dyn Generator> {
        self.operations(1.0)
    }

    fn finals(&self, keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals(keys, converge_within)
    }
}
