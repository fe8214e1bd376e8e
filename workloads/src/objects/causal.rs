//! Chains of reads and writes of a register, each of which follows from the one before it (Jepsen's
//! causal): every read sees the write before it.

use rand::RngExt;
use serde_json::Value;
use splitbrain_checker::history::{Event, Kind};

use super::{KEYS, Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Next};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `causal`.
pub const WORKLOAD: Workload = Workload {
    name: "causal",
    about: "Chains of reads and writes of a register, one after the other, at one node each.",
    load: |settings| Box::new(Chained { settings: settings.clone() }),
};

/// A register that holds a whole number, 0 at first. Calls on one register come one after another, at
/// one node, and not always by the same connection: where a session has a token, the connections to a
/// node share it.
pub struct Causal;

/// A call on one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which register.
    pub key: String,
    /// What is written; nothing to read.
    pub write: Option<i64>,
}

impl Vocabulary for Causal {
    const NAME: &'static str = "causal";
    type Call = Call;
    /// For a read what was there.
    type Ret = Option<Value>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let write = match f {
            "read" | "read-init" => Some(None),
            "write" => value.as_i64().map(Some),
            _ => None,
        };
        key.zip(write).map(|(key, write)| Call { key: key.to_owned(), write }).ok_or_else(|| {
            Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and read-init null, read null or write INTEGER",
            }
        })
    }

    fn encode(call: &Call, ret: Option<Value>) -> Value {
        ret.or(call.write.map(Value::from)).unwrap_or_default()
    }
}

/// What is done with each register; a write has its argument.
const CHAIN: [(&str, Option<i64>); 5] =
    [("read-init", None), ("write", Some(1)), ("read", None), ("write", Some(2)), ("read", None)];

struct Chained {
    settings: Settings,
}

impl Load for Chained {
    fn vocabulary(&self) -> &'static str {
        Causal::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[KEYS]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        Box::new(Chains::new('k', &self.settings))
    }

    fn after(&mut self) -> Box<dyn Generator> {
        Box::new(Chains::new('a', &self.settings))
    }
}

/// Some chains at a time; a register whose chain has ended is replaced.
struct Chains {
    name: char,
    active: Vec<Chain>,
    made: usize,
    most: usize,
}

struct Chain {
    key: String,
    node: usize,
    /// How many of its operations have begun.
    begun: usize,
    is_open: bool,
}

impl Chains {
    fn new(name: char, settings: &Settings) -> Chains {
        Chains { name, active: Vec::new(), made: 0, most: settings.keys(keys::KEYS) }
    }
}

impl Generator for Chains {
    fn next(&mut self, ctx: &mut Context) -> Next {
        while self.active.len() < self.most {
            let (key, node) =
                (format!("{}{}", self.name, self.made), ctx.rng.random_range(0..ctx.nodes));
            self.made += 1;
            self.active.push(Chain { key, node, begun: 0, is_open: false });
        }
        // Whoever has waited for longest is first.
        let Some(at) = self.active.iter().position(|chain| !chain.is_open) else {
            return Next::Pending(None);
        };
        let mut chain = self.active.remove(at);
        let (f, write) = CHAIN[chain.begun];
        let argument = write.map_or(Value::Null, Value::from);
        let node = Some(chain.node);
        let invocation = Invocation { node, ..Invocation::new(f, chain.key.clone(), argument) };
        (chain.begun, chain.is_open) = (chain.begun + 1, true);
        self.active.push(chain);
        Next::Invoke(invocation)
    }

    /// A chain goes on only after what certainly happened.
    fn update(&mut self, _ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        let is_it = |chain: &Chain| Some(&chain.key) == invocation.key.as_ref();
        let Some(at) = self.active.iter().position(is_it) else { return };
        if completion.kind == Kind::Ok && self.active[at].begun < CHAIN.len() {
            self.active[at].is_open = false;
        } else {
            self.active.remove(at);
        }
    }
}
