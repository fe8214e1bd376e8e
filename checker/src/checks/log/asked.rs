//! Which logs polls ask for, and of which it is known that nothing was left.

use std::collections::BTreeSet;

use serde_json::Value;

use super::told::{Step, name};
use crate::history::{Completion, Operation};

/// Some logs.
#[derive(Clone)]
pub enum Asked {
    /// All there are.
    All,
    /// These.
    Those(BTreeSet<String>),
    /// Nobody knows: it shares them with others.
    Unknown,
}

impl Asked {
    /// Whether a log is certainly among them.
    pub fn surely(&self, log: &str) -> bool {
        match self {
            Asked::All => true,
            Asked::Those(logs) => logs.contains(log),
            Asked::Unknown => false,
        }
    }

    /// Whether a log may be among them.
    pub fn perhaps(&self, log: &str) -> bool {
        matches!(self, Asked::Unknown) || self.surely(log)
    }
}

/// Whether an operation says which logs its consumer polls from then on.
pub fn assigns(op: &Operation) -> bool {
    matches!(op.f(), "assign" | "subscribe")
}

/// Which logs it says, if that is told.
pub fn assigned(op: &Operation) -> Option<BTreeSet<String>> {
    [op.result(), op.argument()].into_iter().find_map(|told| names(&told.into()))
}

/// Who asks.
pub struct Asker {
    asked: Asked,
    /// Where it was assigned logs, it may have begun anywhere; what it was given of since then.
    given: Option<BTreeSet<String>>,
}

impl Asker {
    /// One that was assigned nothing. Where nobody is, it begins at the beginning of all logs.
    pub fn new(others_are_assigned: bool) -> Asker {
        let asked = if others_are_assigned { Asked::Unknown } else { Asked::All };
        Asker { asked, given: None }
    }

    /// The next operation of this process.
    pub fn hear(&mut self, op: &Operation, steps: &[Step]) {
        if assigns(op) && op.completion() != Completion::Fail {
            let is_known = op.f() == "assign" && op.is_ok();
            self.asked = assigned(op).filter(|_| is_known).map_or(Asked::Unknown, Asked::Those);
            self.given = Some(BTreeSet::new());
        }
        for step in steps {
            if let (Step::Poll(polled), Some(given)) = (step, &mut self.given) {
                let some = polled.iter().filter(|(_, messages)| !messages.is_empty());
                given.extend(some.map(|(log, _)| log.clone()));
            }
        }
    }

    /// The logs that a poll asks for: those that it names, else what was assigned.
    pub fn asks(&self, poll: &Operation) -> Asked {
        let steps = Value::from(poll.argument());
        let named = steps.as_array().into_iter().flatten().filter_map(|step| names(&step[1]));
        let named = named.reduce(|all, more| all.union(&more).cloned().collect());
        named.map_or_else(|| self.asked.clone(), Asked::Those)
    }

    /// The logs of which nothing was left for this one when a poll was answered with nothing.
    pub fn has_all_of(&self, poll: &Operation) -> Asked {
        match (self.asks(poll), &self.given) {
            (Asked::Those(logs), Some(given)) => Asked::Those(&logs & given),
            (Asked::All, Some(given)) => Asked::Those(given.clone()),
            (asked, _) => asked,
        }
    }
}

fn names(logs: &Value) -> Option<BTreeSet<String>> {
    logs.as_array().map(|logs| logs.iter().map(name).collect())
}
