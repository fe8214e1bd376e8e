//! Registers: reads, unique writes and compare-and-set on several keys (Jepsen's
//! linearizable-register).
//!
//! Two kinds of keys are there to measure by. One key is never retired, and a part of all
//! operations goes to it: the probe rounds read it at all nodes at once, so that it shows for how
//! long nodes differ. A tenth of the writes go to keys that nobody else writes: what is missing of
//! those in the end was lost, exactly, since nothing can have replaced it.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Probes, Repeat, Rounds};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `register`.
pub const WORKLOAD: Workload = Workload {
    name: "register",
    about: "Reads, unique writes and compare-and-set on several registers.",
    load: |settings| Box::new(Registers { settings: settings.clone() }),
};

/// Registers that hold an integer or nothing.
pub struct Register;

/// A call on one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which register.
    pub key: String,
    /// What to do with it.
    pub action: Action,
}

/// What to do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Return the value.
    Read,
    /// Set the value.
    Write(i64),
    /// Set `new` if the value is `old`; otherwise [`splitbrain_checker::history::ErrorKind::Mismatch`].
    Cas {
        /// The value that must be there.
        old: i64,
        /// The value that replaces it.
        new: i64,
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
            ("write", value) => value.as_i64().map(Action::Write),
            ("cas", Value::Array(pair)) => match pair.as_slice() {
                [old, new] => {
                    old.as_i64().zip(new.as_i64()).map(|(old, new)| Action::Cas { old, new })
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
        match (call.action, ret) {
            (_, Ret::Found(value)) => value.map_or(Value::Null, Value::from),
            (_, Ret::Foreign(value)) => value,
            (Action::Write(value), Ret::Done) => value.into(),
            (Action::Cas { old, new }, Ret::Done) => json!([old, new]),
            (Action::Read, Ret::Done) => Value::Null,
        }
    }
}

/// Two probe rounds a second.
const PROBE_PERIOD: Duration = Duration::from_millis(500);
/// One operation of so many goes to the key that is probed.
const PROBED_ONE_IN: u32 = 20;
/// One write of so many goes to a key of its own.
const ONCE_ONE_IN: u32 = 10;

/// What the keys of a phase are called.
struct Names {
    /// Before the number of an ordinary key.
    ordinary: char,
    /// Before the number of a key that is written once; none where nobody reads them in the end.
    once: Option<char>,
    probed: &'static str,
}

const MAIN: Names = Names { ordinary: 'k', once: Some('w'), probed: "p" };
const AFTER: Names = Names { ordinary: 'a', once: None, probed: "q" };

struct Registers {
    settings: Settings,
}

impl Load for Registers {
    fn vocabulary(&self) -> &'static str {
        Register::NAME
    }

    fn unique_writes(&self) -> bool {
        true
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let mut operations = Operations::new(&MAIN, &self.settings);
        Box::new(Repeat(move |ctx: &mut Context| operations.next(ctx)))
    }

    fn after(&mut self) -> Box<dyn Generator> {
        let mut operations = Operations::new(&AFTER, &self.settings);
        Box::new(Repeat(move |ctx: &mut Context| operations.next(ctx)))
    }

    fn probes(&self, after: bool) -> Probes {
        let key = if after { AFTER.probed } else { MAIN.probed };
        Probes::new("read", key, PROBE_PERIOD)
    }

    fn finals(&self, keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        Box::new(Rounds::new("read", keys, Duration::from_millis(200), converge_within))
    }
}

/// Draws operations. What is drawn depends on the seed alone, never on what the system answered,
/// so that a seed fixes the whole schedule.
struct Operations {
    names: &'static Names,
    settings: Settings,
    active: Vec<Key>,
    made: usize,
    made_once: usize,
    /// The last value drawn; no value is written twice.
    value: i64,
}

struct Key {
    name: String,
    left: usize,
    /// The value that was drawn last for it: what a compare-and-set most probably finds.
    last: Option<i64>,
}

impl Operations {
    fn new(names: &'static Names, settings: &Settings) -> Operations {
        let (active, settings) = (Vec::new(), settings.clone());
        Operations { names, settings, active, made: 0, made_once: 0, value: 0 }
    }

    fn fresh(&mut self, ctx: &mut Context) -> Key {
        let name = format!("{}{}", self.names.ordinary, self.made);
        self.made += 1;
        // Keys begun together do not end together.
        let most = self.settings.ops_per_key.max(1);
        Key { name, left: ctx.rng.random_range(most.div_ceil(2)..=most + most / 2), last: None }
    }

    fn next(&mut self, ctx: &mut Context) -> Invocation {
        let node = ctx.rng.random_range(0..ctx.nodes);
        let dice = ctx.rng.random_range(0..10);
        let is_read = dice < 5;
        let mut invocation = if ctx.rng.random_range(0..PROBED_ONE_IN) == 0 {
            let value = if is_read { Value::Null } else { self.fresh_value().into() };
            Invocation::new(if is_read { "read" } else { "write" }, self.names.probed, value)
        } else if let Some(prefix) = self.names.once
            && !is_read
            && ctx.rng.random_range(0..ONCE_ONE_IN) == 0
        {
            let name = format!("{prefix}{}", self.made_once);
            self.made_once += 1;
            Invocation::new("write", name, self.fresh_value())
        } else {
            self.ordinary(ctx, dice)
        };
        invocation.node = Some(node);
        invocation
    }

    fn fresh_value(&mut self) -> i64 {
        self.value += 1;
        self.value
    }

    fn ordinary(&mut self, ctx: &mut Context, dice: u32) -> Invocation {
        while self.active.len() < self.settings.keys.max(1) {
            let key = self.fresh(ctx);
            self.active.push(key);
        }
        let chosen = ctx.rng.random_range(0..self.active.len());
        if self.active[chosen].left == 0 {
            self.active[chosen] = self.fresh(ctx);
        }
        let key = &mut self.active[chosen];
        key.left -= 1;
        let (f, value) = match (dice, key.last) {
            (0..5, _) => ("read", Value::Null),
            (8.., Some(old)) if self.settings.cas => {
                self.value += 1;
                key.last = Some(self.value);
                ("cas", json!([old, self.value]))
            }
            _ => {
                self.value += 1;
                key.last = Some(self.value);
                ("write", self.value.into())
            }
        };
        Invocation::new(f, key.name.clone(), value)
    }
}
