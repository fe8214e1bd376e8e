//! An operation: an invocation joined with its completion (Herlihy and Wing 1990).

use serde_json::Value;

use super::{ErrorKind, EventError, Phase, Symbol};

/// A key of a history, by position in [`History::keys`](super::History::keys).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub u32);

/// A node of a history, by position in [`History::nodes`](super::History::nodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Where and when an event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The event's index, which orders the history.
    pub index: u64,
    /// The event's time in nanoseconds since the start of the run.
    pub time_ns: u64,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completion {
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may have happened, or may yet happen. An invocation that nothing completed is one.
    Info,
}

/// One call of one client: the closed interval from its invocation to its completion.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The process that called.
    pub process: u64,
    /// The worker that ran the process.
    pub client: Option<u32>,
    /// What was called.
    pub f: Symbol,
    /// The object.
    pub key: KeyId,
    /// Where it was sent.
    pub node: Option<NodeId>,
    /// The invocation's value.
    pub argument: Value,
    /// The completion's value; null if there is no completion.
    pub result: Value,
    /// The version that the system reported.
    pub version: Option<u64>,
    /// The invocation.
    pub invoked: Moment,
    /// The completing event, an `info` event included; `None` if the history has none.
    pub completed: Option<Moment>,
    /// How it ended.
    pub completion: Completion,
    /// Why it did not end well.
    pub error: Option<Box<EventError>>,
    /// The intended start in nanoseconds; the actual one where no intention was recorded.
    pub due_ns: u64,
    /// Whether it is one of the reads of one key at all nodes at once.
    pub probe: bool,
    /// The phase of the invocation.
    pub phase: Option<Phase>,
}

impl Operation {
    /// Whether it certainly happened.
    pub fn is_ok(&self) -> bool {
        self.completion == Completion::Ok
    }

    /// Whether it does not change anything.
    pub fn is_read(&self) -> bool {
        Operation::reads(&self.f)
    }

    /// Whether operations of this name do not change anything.
    pub fn reads(f: &str) -> bool {
        matches!(f, "read" | "get")
    }

    /// Whether the system gave a correct answer, positive or negative.
    pub fn is_answered(&self) -> bool {
        self.is_ok() || self.error.as_ref().is_some_and(|e| e.kind == ErrorKind::Mismatch)
    }
}
