//! Transactions: which levels of isolation a history shows, and by what it breaks the others.
//!
//! Operations are lists of accesses to several objects that are to happen as one. Of what they read it is
//! found out whose it was and which version came after which; so some transactions come before others
//! ([`graph`]), and a cycle of such dependencies is an anomaly with a name ([`cycles`]).
//!
//! What ended with `fail` did not happen, and that somebody saw it is an anomaly. What ended with `info`
//! happened if somebody saw it, and else it is as if it had not been there; what it read is not known.
//!
//! # Literature
//!
//! Adya, *Weak consistency* (1999); Berenson et al., *A critique of ANSI SQL isolation levels* (SIGMOD 1995);
//! Cerone, Bernardi and Gotsman, *A framework for transactional consistency models with atomic visibility*
//! (CONCUR 2015); Biswas and Enea, *On the complexity of checking transactional consistency* (OOPSLA 2019);
//! Kingsbury and Alvaro, *Elle: inferring isolation anomalies from experimental observations* (VLDB 2020).

mod append;
mod append_edges;
mod append_reads;
mod append_tell;
mod append_weak;
pub(crate) mod components;
mod cycles;
mod found;
mod graph;
mod guess;
mod judge;
pub(crate) mod levels;
mod lists;
mod material;
mod order;
mod path;
mod placed;
mod register_graph;
mod register_reads;
mod register_tell;
mod register_weak;
mod registers;
mod saturate;
mod seen;
mod serial;
mod sessions;
mod snapshot;
mod store;
mod tell;
#[cfg(test)]
mod tests;
pub(crate) mod trusted;
mod unread;
mod unserializable;
mod version_order;

use serde_json::Value;

use crate::history::steps::{Action, Content, Step, Steps};
use crate::history::{Datum, History, Operation};
use crate::judgement::Misfit;
use crate::ladder::{Ladder, Rung};
use crate::violation::Violation;
use trusted::KeyOrders;

/// What the transactions of a history show.
pub(crate) struct Transactional {
    pub ladder: Ladder,
    /// The gravest first.
    pub violations: Vec<Violation>,
}

/// What is to be known of transactions on registers; of lists everything is found out in any case.
#[derive(Default)]
pub(crate) struct Question {
    /// What registers hold at first.
    pub initial: Value,
    /// Where that is faster only this level is decided, and what hangs on it.
    pub level: Option<Rung>,
    /// What is taken for granted of each key.
    pub keys: KeyOrders,
}

/// The objects that transactions work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lists, which grow by `append`.
    Lists,
    /// Registers, which are written as a whole.
    Registers,
}

impl Kind {
    /// What the operations of a history are transactions on, if they are that: `name` is what they are said
    /// to be, if anything is.
    pub fn of<'h>(history: &'h History, name: &str) -> Option<Kind> {
        let steps = || {
            let values = |operation: &'h Operation| [operation.argument(), operation.result()];
            history.operations().iter().flat_map(values).filter_map(Datum::as_steps)
        };
        let any = |is: fn(&Step<'_>) -> bool| steps().flat_map(Steps::iter).any(|one| is(&one));
        match name {
            "list-append" if steps().next().is_some() => Some(Kind::Lists),
            "rw-register" => Some(Kind::Registers),
            "" if any(|step| step.action == Action::Append) => Some(Kind::Lists),
            "" if any(|step| step.action == Action::Write) => Some(Kind::Registers),
            "" if any(|step| matches!(step.content, Content::List(_))) => Some(Kind::Lists),
            "" if steps().next().is_some() => Some(Kind::Registers),
            _ => None,
        }
    }

    /// Judges a history.
    pub fn check(self, history: &History, question: &Question) -> Result<Transactional, Misfit> {
        match self {
            Kind::Lists => lists::check(history),
            Kind::Registers => registers::check(history, question),
        }
    }
}
