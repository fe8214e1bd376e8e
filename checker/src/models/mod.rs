//! Linearizability of any object that has a sequential specification.
//!
//! A [`Model`] says how an object behaves when one operation happens after another, as in Knossos;
//! [`decide`] finds out whether concurrent operations on it are linearizable (Herlihy and Wing
//! 1990). To add a model: a file with an implementation, and a line in the list of
//! models.
//!
//! ```
//! use splitbrain_checker::{linearizable::Budget, models::*};
//! use mutex::{Mutex, Op};
//! let op = |op, invoked, returned| Timed { op, invoked, returned };
//! let held_twice = [op(Op::Acquire, 0, Some(1)), op(Op::Acquire, 2, Some(3))];
//! assert_eq!(decide(&Mutex, &held_twice, &Budget::default()).answer, Answer::No { at: Some(1) });
//! // A release that may have happened explains it.
//! let freed = [held_twice[0].clone(), op(Op::Release, 0, None), held_twice[1].clone()];
//! assert_eq!(decide(&Mutex, &freed, &Budget::default()).answer, Answer::Yes);
//! ```
//!
//! A model of one's own is an implementation of the trait, here of a flag that can be raised once:
//!
//! ```
//! use splitbrain_checker::history::{History, Operation};
//! use splitbrain_checker::{linearizable::Budget, models::*};
//!
//! struct Flag;
//!
//! #[derive(Clone, Debug, PartialEq, Eq, Hash)]
//! enum Op {
//!     Raise,
//!     Look(bool),
//! }
//!
//! impl Model for Flag {
//!     type Op = Op;
//!     type State = bool;
//!     type Next = Option<bool>;
//!
//!     fn name(&self) -> &'static str {
//!         "flag"
//!     }
//!     fn op(&self, o: &Operation, answered: bool, _: &mut Values) -> Result<Option<Op>, NoSuchOperation> {
//!         match o.f() {
//!             "raise" => Ok(Some(Op::Raise)),
//!             "look" if answered => o.result().as_bool().map(|up| Some(Op::Look(up))).ok_or(NoSuchOperation),
//!             "look" => Ok(None),
//!             _ => Err(NoSuchOperation),
//!         }
//!     }
//!     fn init(&self) -> bool {
//!         false
//!     }
//!     fn step(&self, up: &bool, op: &Op) -> Option<bool> {
//!         match op {
//!             Op::Raise => (!up).then_some(true),
//!             Op::Look(seen) => (seen == up).then_some(*up),
//!         }
//!     }
//!     fn is_read(&self, op: &Op) -> bool {
//!         matches!(op, Op::Look(_))
//!     }
//! }
//!
//! let history = r#"
//!     {"process":0,"type":"invoke","f":"raise","time":1}
//!     {"process":0,"type":"ok","f":"raise","time":2}
//!     {"process":1,"type":"invoke","f":"look","time":3}
//!     {"process":1,"type":"ok","f":"look","value":false,"time":4}
//! "#;
//! let history = History::read(history.as_bytes()).unwrap();
//! let keys = check(&Flag, &history, &Budget::default()).unwrap();
//! assert!(matches!(keys[0].outcome, Outcome::NotLinearizable(_)));
//! ```

mod alternate;
mod answer;
mod check;
pub mod counter;
pub mod elements;
pub(crate) mod failed_cas;
pub mod fenced_mutex;
pub mod fifo_queue;
mod front;
pub mod kv_append;
mod levels;
pub(crate) mod list;
pub mod list_append;
pub mod multi_register;
pub mod mutex;
mod open;
mod path;
mod plan;
pub mod priority_queue;
pub mod reentrant_mutex;
mod search;
pub mod set;
pub mod set_full;
pub mod stack;
mod sweep;
#[cfg(test)]
mod tests;
pub mod unordered_queue;
mod values;
pub mod versioned_register;
mod witness;

use std::fmt;
use std::hash::Hash;

pub use answer::{Answer, Decided};
pub(crate) use check::Named;
pub use check::{KeyCheck, Outcome, check};
pub use list::{ModelName, UnknownModel, VOCABULARIES};
pub use search::{decide, order};
pub use values::Values;

use crate::history::Operation;

/// The sequential specification of an object.
///
/// Pure: the same state and operation always have the same successors.
pub trait Model: Sync {
    /// What was called and what was answered, or that the answer is not known. Equal operations
    /// are interchangeable.
    type Op: Clone + Eq + Hash + fmt::Debug + Send + Sync;
    /// What the object holds.
    type State: Clone + Eq + Hash;
    /// The states that an operation can lead to: an `Option` unless an unknown answer leaves a
    /// choice.
    type Next: IntoIterator<Item = Self::State>;

    /// The name in a header and on a command line.
    fn name(&self) -> &'static str;

    /// The operations that the object has, in words, for whoever has others.
    fn operations(&self) -> &'static str {
        ""
    }

    /// The operation of a history. `answered` says whether it completed with `ok`, else its
    /// outcome is unknown; operations that failed are not asked for. `Ok(None)` if it says nothing,
    /// such as a read without an answer.
    ///
    /// # Errors
    /// If the object has no such operation.
    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Self::Op>, NoSuchOperation>;

    /// What an operation that failed has seen all the same, at some moment of its interval.
    fn failed(&self, operation: &Operation, values: &mut Values) -> Option<Self::Op> {
        let _ = (operation, values);
        None
    }

    /// The state before the first operation.
    fn init(&self) -> Self::State;

    /// The states after an operation; none if it cannot be answered so in this state.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Self::Next;

    /// Whether the operation leaves every state as it is.
    fn is_read(&self, op: &Self::Op) -> bool;

    /// Whether all keys of a history are one object, instead of one object each.
    fn spans_keys(&self) -> bool {
        false
    }

    /// Those of some operations, no reads, that no answer in the history depends on: where an
    /// order explains all answers, it still does so without them.
    fn needless(&self, ops: &[Timed<Self::Op>], among: &[usize]) -> Vec<usize> {
        let _ = (ops, among);
        Vec::new()
    }

    /// The element that the operation is about, if an order that explains all answers still does
    /// so after every operation about that element is left out.
    fn element(&self, op: &Self::Op) -> Option<elements::Element> {
        let _ = op;
        None
    }

    /// Decides the whole history in polynomial time, if it meets the conditions for that.
    fn shortcut(&self, ops: &[Timed<Self::Op>]) -> Option<Shortcut> {
        let _ = ops;
        None
    }

    /// Operations, ascending, that no order explains either, where the model knows a way to find
    /// few of them; `at` is that of the violation's [answer](Answer::No).
    fn witness(&self, ops: &[Timed<Self::Op>], at: Option<usize>) -> Option<Vec<usize>> {
        let _ = (ops, at);
        None
    }

    /// The memory behind a state in bytes, beyond its own size.
    fn heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }
}

/// An operation with the positions of its events in the history. The interval is closed:
/// operations that share a position are concurrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed<Op> {
    /// What was called and answered.
    pub op: Op,
    /// Position of the invocation.
    pub invoked: u64,
    /// Position of the completion, not before `invoked`; `None` if the operation may take effect at
    /// any time after its invocation, or never.
    pub returned: Option<u64>,
}

impl<Op> Timed<Op> {
    /// The last position at which the operation may take effect.
    pub fn deadline(&self) -> u64 {
        self.returned.unwrap_or(u64::MAX)
    }
}

/// The object has no operation of this name and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchOperation;

/// The answer of a polynomial procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortcut {
    /// What was done, and why it could be.
    pub procedure: &'static str,
    /// Whether the history is linearizable.
    pub answer: Answer,
}
