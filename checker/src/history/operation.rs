//! An operation: an invocation joined with its completion (Herlihy and Wing 1990).
//!
//! A history has a million of them, so each has room for what nearly all have, 96 bytes, and pays
//! for the rest only if it has any.

use std::num::NonZero;

use super::function::Function;
use super::{Datum, ErrorKind, EventError, Phase, Symbol};

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
    /// The object.
    pub key: KeyId,
    /// The invocation.
    pub invoked: Moment,
    /// The intended start in nanoseconds; the actual one where no intention was recorded.
    pub due_ns: u64,
    /// The phase of the invocation.
    pub phase: Option<Phase>,
    function: Function,
    /// `None` before the completing event.
    completion: Option<Completion>,
    /// Meaningless before it.
    completed: Moment,
    is_value: Is,
    /// The one value that nearly every operation has.
    value: Datum,
    /// The client's number plus 1.
    client: Option<NonZero<u32>>,
    /// The node's number plus 1.
    node: Option<NonZero<u32>>,
    rare: Option<Box<Rare>>,
}

/// What the value of an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// The argument, and the result is null.
    Argument,
    /// The result, and the argument is null.
    Result,
    /// The argument and the result too.
    Both,
    /// The argument, and the result is elsewhere.
    ArgumentAlone,
}

/// What few operations have.
#[derive(Clone, Debug, Default)]
struct Rare {
    f: Option<Box<str>>,
    result: Datum,
    version: Option<u64>,
    probe: bool,
    error: Option<Box<EventError>>,
}

/// What an invocation says.
pub(super) struct Invocation<'a> {
    pub at: Moment,
    pub process: u64,
    /// Below the largest number that there is.
    pub client: Option<u32>,
    pub f: &'a str,
    pub key: KeyId,
    pub node: Option<NodeId>,
    pub argument: Datum,
    pub due_ns: Option<u64>,
    pub probe: bool,
    pub phase: Option<Phase>,
}

impl Operation {
    /// An operation that has not completed.
    pub(super) fn invoked(invocation: Invocation<'_>) -> Operation {
        let Invocation { at, process, client, f, key, node, argument, due_ns, probe, phase } =
            invocation;
        let function = Function::of(f);
        let plus_one = |number: u32| NonZero::new(number.wrapping_add(1));
        let mut operation = Operation {
            process,
            key,
            invoked: at,
            due_ns: due_ns.unwrap_or(at.time_ns),
            phase,
            function,
            completion: None,
            completed: Moment::default(),
            is_value: Is::Argument,
            value: argument,
            client: client.and_then(plus_one),
            node: node.and_then(|node| plus_one(node.0)),
            rare: None,
        };
        if function == Function::OTHER {
            operation.rare().f = Some(f.into());
        }
        if probe {
            operation.rare().probe = true;
        }
        operation
    }

    /// The completing event comes.
    pub(super) fn complete(
        &mut self,
        at: Moment,
        completion: Completion,
        result: Datum,
        version: Option<u64>,
        error: Option<Box<EventError>>,
    ) {
        self.completed = at;
        self.completion = Some(completion);
        self.set_result(result);
        if version.is_some() || error.is_some() {
            let rare = self.rare();
            (rare.version, rare.error) = (version, error);
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// For an operation whose result is null so far.
    fn set_result(&mut self, result: Datum) {
        // Of a transaction it is said what it is to do. What is read otherwise only looks like that.
        let asked = self.f() == "txn" || !self.value.is_null();
        let result = if asked { result } else { result.without_steps() };
        self.is_value = if result.is_null() {
            Is::Argument
        } else if self.value.is_null() {
            self.value = result;
            Is::Result
        } else if self.value == result {
            Is::Both
        } else {
            self.rare().result = result;
            Is::ArgumentAlone
        };
    }

    /// Replaces both values and the key.
    pub(super) fn set_values(&mut self, key: KeyId, argument: Datum, result: Datum) {
        self.key = key;
        self.value = argument;
        self.set_result(result);
    }

    /// The worker that ran the process.
    pub fn client(&self) -> Option<u32> {
        self.client.map(|number| number.get() - 1)
    }

    /// Where it was sent.
    pub fn node(&self) -> Option<NodeId> {
        self.node.map(|number| NodeId(number.get() - 1))
    }

    /// What was called.
    pub fn f(&self) -> &str {
        let rare = || self.rare.as_ref().and_then(|rare| rare.f.as_deref());
        self.function.name().or_else(rare).unwrap_or_default()
    }

    /// The same for an event.
    pub(super) fn symbol(&self) -> Symbol {
        self.function.symbol(self.f())
    }

    /// The invocation's value.
    pub fn argument(&self) -> &Datum {
        match self.is_value {
            Is::Argument | Is::Both | Is::ArgumentAlone => &self.value,
            Is::Result => Datum::null(),
        }
    }

    /// The completion's value; null if there is no completion.
    pub fn result(&self) -> &Datum {
        match self.is_value {
            Is::Result | Is::Both => &self.value,
            Is::Argument => Datum::null(),
            Is::ArgumentAlone => self.rare.as_ref().map_or(Datum::null(), |rare| &rare.result),
        }
    }

    /// The completing event, an `info` event included; `None` if the history has none.
    pub fn completed(&self) -> Option<Moment> {
        self.completion.map(|_| self.completed)
    }

    /// How it ended.
    pub fn completion(&self) -> Completion {
        self.completion.unwrap_or(Completion::Info)
    }

    /// The version that the system reported.
    pub fn version(&self) -> Option<u64> {
        self.rare.as_ref()?.version
    }

    /// Whether it is one of the reads of one key at all nodes at once.
    pub fn probe(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.probe)
    }

    /// Why it did not end well.
    pub fn error(&self) -> Option<&EventError> {
        self.rare.as_ref()?.error.as_deref()
    }

    /// Whether it certainly happened.
    pub fn is_ok(&self) -> bool {
        self.completion == Some(Completion::Ok)
    }

    /// Whether it does not change anything.
    pub fn is_read(&self) -> bool {
        Operation::reads(self.f())
    }

    /// Whether operations of this name do not change anything.
    pub fn reads(f: &str) -> bool {
        matches!(f, "read" | "get")
    }

    /// Whether the system gave a correct answer, positive or negative.
    pub fn is_answered(&self) -> bool {
        self.is_ok() || self.error().is_some_and(|error| error.kind == ErrorKind::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small() {
        assert_eq!(size_of::<Operation>(), 96);
    }
}
