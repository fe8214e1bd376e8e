//! The models that have a name.

use std::fmt;
use std::str::FromStr;

use super::check::Named;
use super::counter::Counter;
use super::fenced_mutex::FencedMutex;
use super::fifo_queue::FifoQueue;
use super::kv_append::KvAppend;
use super::list_append::ListAppend;
use super::multi_register::MultiRegister;
use super::mutex::Mutex;
use super::priority_queue::PriorityQueue;
use super::reentrant_mutex::ReentrantMutex;
use super::set::GrowOnlySet;
use super::set_full::FullSet;
use super::stack::Stack;
use super::unordered_queue::UnorderedQueue;
use super::versioned_register::VersionedRegister;
use crate::checks::{self, Check};

/// Every model but the registers, which have a check of their own.
pub(crate) const ALL: &[&dyn Named] = &[
    &Mutex,
    &KvAppend,
    &FifoQueue,
    &GrowOnlySet,
    &Counter,
    &UnorderedQueue,
    &Stack,
    &PriorityQueue,
    &VersionedRegister,
    &ReentrantMutex,
    &FencedMutex,
    &ListAppend,
    &FullSet,
    &MultiRegister,
];

/// The vocabularies that can be checked: the names of the models, and of the checks of workloads
/// whose objects have none.
pub const VOCABULARIES: &[&str] = &[
    "register",
    "cas-register",
    "mutex",
    "kv-append",
    "fifo-queue",
    "set",
    "counter",
    "unordered-queue",
    "stack",
    "priority-queue",
    "versioned-register",
    "reentrant-mutex",
    "fenced-mutex",
    "list-append",
    "set-full",
    "multi-register",
    "bank",
    "causal",
    "causal-reverse",
    "echo",
    "g2",
    "log",
    "long-fork",
    "monotonic",
    "pn-counter",
    "sequential",
    "stats",
    "total-queue",
    "unique-ids",
    "watch",
    "rw-register",
];

/// The name of a model, one of [`VOCABULARIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelName(&'static str);

impl ModelName {
    /// The name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// There is no model of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no model {name}; there are {}", VOCABULARIES.join(", "))]
pub struct UnknownModel {
    name: String,
}

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<ModelName, UnknownModel> {
        let known = VOCABULARIES.iter().find(|known| **known == name);
        known.map(|name| ModelName(name)).ok_or_else(|| UnknownModel { name: name.to_owned() })
    }
}

/// How the objects of a vocabulary are checked.
#[derive(Clone, Copy)]
pub(crate) enum Objects {
    Registers,
    Of(&'static dyn Named),
    /// Of which only a check of their workload is known, and no model.
    Checked(&'static dyn Check),
}

impl Objects {
    /// `None` if there is no check.
    pub fn named(name: &str) -> Option<Objects> {
        if matches!(name, "register" | "cas-register") {
            return Some(Objects::Registers);
        }
        let model = ALL.iter().copied().find(|model| model.name() == name).map(Objects::Of);
        model.or_else(|| checks::named(name).map(Objects::Checked))
    }
}
