//! Small histories as values.

use serde_json::{Value, json};

use crate::history::{Completion, Event, History, Kind as Type, Process};
use crate::ladder::Ladder;
use crate::txn::trusted::KeyOrders;
use crate::txn::{Kind, Question};

/// One access and what it found.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    Append(u32, u32),
    List(u32, Vec<u32>),
    Write(u32, u32),
    /// A register; `None` before the first write.
    Read(u32, Option<u32>),
}

impl Access {
    pub fn key(&self) -> u32 {
        match self {
            Access::Append(key, _) | Access::List(key, _) => *key,
            Access::Write(key, _) | Access::Read(key, _) => *key,
        }
    }

    pub fn is_read(&self) -> bool {
        matches!(self, Access::List(..) | Access::Read(..))
    }

    /// What it wrote.
    pub fn written(&self) -> Option<(u32, u32)> {
        match self {
            Access::Append(key, value) | Access::Write(key, value) => Some((*key, *value)),
            _ => None,
        }
    }

    fn json(&self, with_answer: bool) -> Value {
        match self {
            Access::Append(key, element) => json!(["append", key, element]),
            Access::Write(key, value) => json!(["w", key, value]),
            Access::List(key, list) if with_answer => json!(["r", key, list]),
            Access::Read(key, value) if with_answer => json!(["r", key, value]),
            Access::List(key, _) | Access::Read(key, _) => json!(["r", key, null]),
        }
    }
}

/// A transaction between two events, whose positions no other shares.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub session: u64,
    pub fate: Completion,
    pub begins: u32,
    pub ends: u32,
    pub accesses: Vec<Access>,
}

/// A history in the order of its invocations.
#[derive(Clone, Debug)]
pub struct Spec(pub Vec<Transaction>);

impl Spec {
    pub fn history(&self) -> History {
        let mut events = Vec::new();
        for one in &self.0 {
            let value = |with_answer| one.accesses.iter().map(|a| a.json(with_answer)).collect();
            let kind = match one.fate {
                Completion::Ok => Type::Ok,
                Completion::Fail => Type::Fail,
                Completion::Info => Type::Info,
            };
            let ends = (one.ends, kind, value(one.fate == Completion::Ok));
            for (at, kind, value) in [(one.begins, Type::Invoke, value(false)), ends] {
                let process = Process::Client(one.session);
                let mut event = Event::new(at.into(), u64::from(at), kind, process, "txn");
                event.value = value;
                events.push(event);
            }
        }
        events.sort_by_key(|event| event.index);
        History::from_events(None, events).expect("a history")
    }

    pub fn ladder(&self) -> Ladder {
        self.ladder_by(KeyOrders::default())
    }

    /// The same if something is taken for granted of the keys.
    pub fn ladder_by(&self, keys: KeyOrders) -> Ladder {
        let history = self.history();
        let kind = Kind::of(&history, "").unwrap_or(Kind::Lists);
        let question = Question { keys, ..Question::default() };
        kind.check(&history, &question).expect("transactions of one kind").ladder
    }
}
