//! The steps of a log, and the values that they lead to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::applied::AppliedLog;
use crate::request::{Command, Key, Outcome, Values};

/// A place in the log. Later epochs are greater, whatever the index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Whose log it is.
    pub epoch: u64,
    /// How many entries lead to it.
    pub index: u64,
}

/// One step of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stands.
    pub at: Position,
    /// What it does; nothing, where an epoch begins.
    pub command: Option<Command>,
}

/// The values that the log up to some place leads to.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Which place.
    pub at: Position,
    /// The values.
    pub values: Values,
}

impl Image {
    /// Takes the next step.
    pub fn apply(&mut self, entry: &Entry) -> Outcome {
        self.at = entry.at;
        let command = entry.command.clone();
        command.map_or(Outcome::Ok, |command| command.apply(&mut self.values))
    }

    /// Notes what a key has from now on.
    pub fn note(&self, key: &Key, applied: &AppliedLog) {
        let value = self.values.get(key).unwrap_or(&Value::Null);
        applied.shows(key, value, (self.at.epoch, self.at.index));
    }

    /// Notes what all keys have from now on.
    pub fn note_all(&self, applied: &AppliedLog) {
        self.values.keys().for_each(|key| self.note(key, applied));
    }
}
