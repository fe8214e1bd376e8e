//! Locks that are taken and given back (Jepsen's lock): nobody gets one that somebody else holds.

use rand::RngExt;
use serde_json::Value;

use super::{Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys::{self, AFTER, MAIN, Names, Pool};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `lock`.
pub const WORKLOAD: Workload = Workload {
    name: "lock",
    about: "Locks that are taken and given back by whoever took them.",
    load: |settings| Box::new(Turns { settings: settings.clone() }),
};

/// A lock that gives each holder a token.
pub struct Lock;

/// A call on one lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which lock.
    pub key: String,
    /// Whether it is taken, otherwise given back. What is held by someone else, or given back by
    /// who does not hold it, is [`splitbrain_checker::history::ErrorKind::Mismatch`].
    pub acquires: bool,
}

impl Vocabulary for Lock {
    const NAME: &'static str = "mutex";
    type Call = Call;
    /// The token, which is greater than those of all holders before.
    type Ret = u64;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        match (f, key) {
            ("acquire" | "release", Some(key)) => {
                Ok(Call { key: key.to_owned(), acquires: f == "acquire" })
            }
            _ => Err(Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and acquire null or release null",
            }),
        }
    }

    fn encode(_call: &Call, token: u64) -> Value {
        token.into()
    }
}

struct Turns {
    settings: Settings,
}

impl Turns {
    /// Who takes a lock and who gives it back is drawn by lot, so a lock is held for some turns.
    fn operations(&self, names: &'static Names) -> Box<dyn Generator> {
        let mut locks = Pool::<()>::new(names, &self.settings);
        Box::new(Repeat(move |ctx: &mut Context| {
            let f = if ctx.rng.random_bool(0.5) { "acquire" } else { "release" };
            let lock = locks.ordinary(ctx).name.clone();
            let node = Some(ctx.rng.random_range(0..ctx.nodes));
            Invocation { node, ..Invocation::new(f, lock, Value::Null) }
        }))
    }
}

impl Load for Turns {
    fn vocabulary(&self) -> &'static str {
        Lock::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        keys::SETTINGS
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations(&MAIN)
    }

    fn after(&mut self) -> Box<dyn Generator> {
        self.operations(&AFTER)
    }
}
