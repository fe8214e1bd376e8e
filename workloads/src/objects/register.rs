//! Registers: reads, unique writes and compare-and-set on several keys (Jepsen's
//! linearizable-register).
//!
//! Two kinds of keys are there to measure by. One key is never retired, and a part of all
//! operations goes to it: the probe rounds read it at all nodes at once, so that it shows for how
//! long nodes differ. A tenth of the writes go to keys that nobody else writes: what is missing of
//! those in the end was lost, exactly, since nothing can have replaced it.

use std::fmt;
use std::time::Duration;

use rand::RngExt;
use serde::Serialize;
use serde_json::{Value, json};

use super::{KEY_CHOICE, KEYS, Load, OPS_PER_KEY, Settings, VALUE_BYTES, VALUES, Workload};
use crate::generator::{Context, Generator, Invocation, Probes, Repeat};
use crate::keys::{self, AFTER, MAIN, Names, Pool};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `register`.
pub const WORKLOAD: Workload = Workload {
    name: "register",
    about: "Reads, unique writes and compare-and-set on several registers.",
    load: |settings| Box::new(Registers { settings: settings.clone(), has_once: true }),
};

/// Registers that hold an integer or nothing.
pub struct Register;

/// What is written to a register: a whole number, or the text that stands for one where values have a size
/// ([`crate::padding`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Held(Value);

impl Held {
    fn of(value: &Value) -> Option<Held> {
        (value.is_i64() || value.is_string()).then(|| Held(value.clone()))
    }

    /// The number; nothing if it is a text.
    pub fn number(&self) -> Option<i64> {
        self.0.as_i64()
    }
}

impl From<i64> for Held {
    fn from(number: i64) -> Held {
        Held(number.into())
    }
}

/// As it stands in a database of texts.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            number => number.fmt(f),
        }
    }
}

/// A call on one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which register.
    pub key: String,
    /// What to do with it.
    pub action: Action,
}

/// What to do with a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Return the value.
    Read,
    /// Set the value.
    Write(Held),
    /// Set `new` if the value is `old`; otherwise [`splitbrain_checker::history::ErrorKind::Mismatch`].
    Cas {
        /// The value that must be there.
        old: Held,
        /// The value that replaces it.
        new: Held,
    },
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ret {
    /// A read found this; nothing before the first write.
    Found(Option<i64>),
    /// A read found what no client of this workload can have written. It is recorded as it is: that
    /// nobody wrote it is for the checker to say.
    Foreign(Value),
    /// A write or compare-and-set took effect.
    Done,
}

impl Vocabulary for Register {
    const NAME: &'static str = "cas-register";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let action = match (f, value) {
            ("read", Value::Null) => Some(Action::Read),
            ("write", value) => Held::of(value).map(Action::Write),
            ("cas", Value::Array(pair)) => match pair.as_slice() {
                [old, new] => {
                    Held::of(old).zip(Held::of(new)).map(|(old, new)| Action::Cas { old, new })
                }
                _ => None,
            },
            _ => None,
        };
        key.zip(action).map(|(key, action)| Call { key: key.to_owned(), action }).ok_or_else(|| {
            Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and read null, write INTEGER or cas [OLD, NEW]",
            }
        })
    }

    fn encode(call: &Call, ret: Ret) -> Value {
        match (&call.action, ret) {
            (_, Ret::Found(value)) => value.map_or(Value::Null, Value::from),
            (_, Ret::Foreign(value)) => value,
            (Action::Write(Held(value)), Ret::Done) => value.clone(),
            (Action::Cas { old, new }, Ret::Done) => json!([old, new]),
            (Action::Read, Ret::Done) => Value::Null,
        }
    }
}

/// One write of so many goes to a key of its own.
const ONCE_ONE_IN: u32 = 10;
/// What those keys begin with; there are none in the end, where nobody reads them back.
const ONCE: char = 'w';

/// Reads, unique writes and compare-and-set.
pub(super) struct Registers {
    settings: Settings,
    /// Whether some writes go to keys of their own.
    has_once: bool,
}

impl Load for Registers {
    fn vocabulary(&self) -> &'static str {
        Register::NAME
    }

    fn unique_writes(&self) -> bool {
        self.settings.values.is_none()
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[KEYS, OPS_PER_KEY, KEY_CHOICE, VALUES, VALUE_BYTES]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations(&MAIN, self.has_once)
    }

    fn after(&mut self) -> Box<dyn Generator> {
        self.operations(&AFTER, false)
    }

    fn probes(&self, after: bool) -> Option<Probes> {
        Some(keys::probes(after))
    }

    fn finals(&self, keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals(keys, converge_within)
    }
}

impl Registers {
    /// For sessions: only what they can go wrong by, on so few keys that they meet again.
    pub(super) fn of_sessions(settings: &Settings) -> Registers {
        let settings = Settings { cas: false, ..settings.clone() };
        Registers { settings, has_once: false }
    }

    fn operations(&self, names: &'static Names, has_once: bool) -> Box<dyn Generator> {
        let pool = Pool::new(names, &self.settings);
        let Settings { cas, values, .. } = self.settings;
        let mut operations = Operations { pool, cas, has_once, made_once: 0, values, made: 0 };
        Box::new(Repeat(move |ctx: &mut Context| operations.next(ctx)))
    }
}

/// Draws operations. What is drawn depends on the seed alone, never on what the system answered,
/// so that a seed fixes the whole schedule.
struct Operations {
    /// Each key with the value that was drawn last for it: what a compare-and-set most probably finds.
    pool: Pool<Option<i64>>,
    cas: bool,
    has_once: bool,
    made_once: usize,
    /// Values are drawn from so many; else no value is written twice.
    values: Option<u32>,
    /// How many values have been drawn.
    made: i64,
}

impl Operations {
    fn next(&mut self, ctx: &mut Context) -> Invocation {
        let node = ctx.rng.random_range(0..ctx.nodes);
        let dice = ctx.rng.random_range(0..10);
        let is_read = dice < 5;
        let mut invocation = if let Some(probed) = self.pool.probed(ctx) {
            let value = if is_read { Value::Null } else { self.fresh_value(ctx).into() };
            Invocation::new(if is_read { "read" } else { "write" }, probed, value)
        } else if self.has_once && !is_read && ctx.rng.random_range(0..ONCE_ONE_IN) == 0 {
            let name = format!("{ONCE}{}", self.made_once);
            self.made_once += 1;
            Invocation::new("write", name, self.fresh_value(ctx))
        } else {
            self.ordinary(ctx, dice)
        };
        invocation.node = Some(node);
        invocation
    }

    fn fresh_value(&mut self, ctx: &mut Context) -> i64 {
        self.made += 1;
        self.values.map_or(self.made, |values| ctx.rng.random_range(0..values.max(1)).into())
    }

    fn ordinary(&mut self, ctx: &mut Context, dice: u32) -> Invocation {
        if dice < 5 {
            let name = self.pool.ordinary(ctx).name.clone();
            return Invocation::new("read", name, Value::Null);
        }
        let value = self.fresh_value(ctx);
        let key = self.pool.ordinary(ctx);
        let name = key.name.clone();
        match key.memory.replace(value) {
            Some(old) if dice >= 8 && self.cas => Invocation::new("cas", name, json!([old, value])),
            _ => Invocation::new("write", name, value),
        }
    }
}
