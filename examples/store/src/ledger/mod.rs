//! The log of a group: all writes in one order, durable, and the values that they lead to.
//!
//! A position is an epoch and an index. In one epoch one primary writes, so two logs that hold the
//! same position are the same up to there. What lies far back is kept as an image of the values only.

mod entry;

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::applied::AppliedLog;
use crate::journal::{Journal, Mount};
use crate::mistakes::Mistake;
use crate::request::{Key, Outcome, Values};

pub use entry::{Entry, Image, Position};

/// A change to the log, as it lies in the journal.
#[derive(Serialize, Deserialize)]
enum Record {
    Image(Image),
    Append(Vec<Entry>),
    /// No epoch before this one is listened to any more.
    Promise(u64),
}

/// The log of one node.
pub struct Ledger {
    journal: Journal,
    /// Where the entries begin.
    base: Image,
    entries: VecDeque<Entry>,
    /// As far as the entries have been applied.
    state: Image,
    /// What reads still see while a log that replaces all is on its way to the disk.
    shown: Option<Values>,
    promised: u64,
    /// How many applied entries to keep for those who are a little behind.
    keep: usize,
    mistake: Option<Mistake>,
    applied: AppliedLog,
}

impl Ledger {
    /// Opens the log at `path`. Nothing behind its image is applied yet.
    pub fn open(
        path: &Path,
        mount: Mount,
        keep: u64,
        mistake: Option<Mistake>,
        applied: AppliedLog,
    ) -> Result<Self, String> {
        let (journal, mut records) =
            Journal::open(path, mount).map_err(|error| error.to_string())?;
        if mistake == Some(Mistake::LogTruncatedAtRestart) {
            // As if the last record were torn.
            records.pop();
        }
        let mut base = Image::default();
        let mut entries = VecDeque::new();
        let mut promised = 0;
        for record in records {
            let record = serde_json::from_slice(&record)
                .map_err(|error| format!("a record of {} is strange: {error}", path.display()))?;
            match record {
                Record::Image(image) => {
                    base = image;
                    entries.clear();
                }
                Record::Append(more) => entries.extend(more),
                Record::Promise(epoch) => promised = epoch,
            }
        }
        let state = base.clone();
        state.note_all(&applied);
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        Ok(Self { journal, base, entries, state, shown: None, promised, keep, mistake, applied })
    }

    /// Where the log ends.
    pub fn end(&self) -> Position {
        self.entries.back().map_or(self.base.at, |entry| entry.at)
    }

    /// The epoch before which nobody is listened to.
    pub fn promised(&self) -> u64 {
        self.promised
    }

    /// As far as the log has been applied.
    pub fn applied(&self) -> Position {
        self.state.at
    }

    /// Whether the log leads through `at`.
    pub fn holds(&self, at: Position) -> bool {
        self.position(at.index) == Some(at)
    }

    /// The position of that index, if the log reaches and still knows it.
    pub fn position(&self, index: u64) -> Option<Position> {
        let behind = index.checked_sub(self.base.at.index)?;
        match usize::try_from(behind).ok()?.checked_sub(1) {
            None => Some(self.base.at),
            Some(place) => self.entries.get(place).map(|entry| entry.at),
        }
    }

    /// The values that the entries begin with.
    pub fn base(&self) -> &Image {
        &self.base
    }

    /// The entries behind an index, which is that of the base or later.
    pub fn behind(&self, index: u64) -> impl Iterator<Item = &Entry> {
        let skip = index.saturating_sub(self.base.at.index);
        self.entries.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX))
    }

    /// The value of `key`, as far as the log has been applied.
    pub fn get(&self, key: &Key) -> Value {
        let values = self.shown.as_ref().unwrap_or(&self.state.values);
        values.get(key).cloned().unwrap_or_default()
    }

    /// The value of `key` when all of the log is applied, also what is not done yet.
    pub fn get_uncommitted(&self, key: &Key) -> Value {
        let mut values: Values = [(key.clone(), self.get(key))].into();
        for entry in self.behind(self.applied().index) {
            let command = entry.command.iter().filter(|command| command.keys().contains(key));
            command.for_each(|command| _ = command.clone().apply(&mut values));
        }
        values.remove(key).unwrap_or_default()
    }

    /// How many keys there are, as far as the log has been applied.
    pub fn len(&self) -> usize {
        self.state.values.len()
    }

    /// Appends entries that follow the end, and calls `done` when they are durable or lost.
    pub fn append(
        &mut self,
        entries: Vec<Entry>,
        done: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        let record = encode(&Record::Append(entries.clone()));
        self.entries.extend(entries);
        self.journal.append(record, done);
    }

    /// Listens to nobody of an epoch before this one any more; `done` is called when that is durable.
    pub fn promise(&mut self, epoch: u64, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        self.promised = epoch;
        if self.mistake == Some(Mistake::VoteNotPersisted) {
            return done(Ok(()));
        }
        self.journal.append(encode(&Record::Promise(epoch)), done);
    }

    /// Applies the entries up to `index`, and returns how each of them ended.
    pub fn apply_to(&mut self, index: u64) -> Vec<(u64, Outcome)> {
        if self.shown.take().is_some() {
            self.applied.shows_nothing();
            self.state.note_all(&self.applied);
        }
        let from = self.state.at.index;
        let skip = usize::try_from(from - self.base.at.index).expect("entries are in memory");
        let due = self.entries.iter().skip(skip).take_while(|entry| entry.at.index <= index);
        let apply_one = |entry: &Entry| {
            let outcome = self.state.apply(entry);
            if let Some(command) = entry.command.as_ref().filter(|_| outcome.is_done()) {
                command.keys().iter().for_each(|key| self.state.note(key, &self.applied));
            }
            (entry.at.index, outcome)
        };
        let ended = due.map(apply_one).collect();
        self.shorten();
        ended
    }

    /// Replaces the whole log by another one; `done` is called when that is durable. Reads see the old
    /// values until something is applied.
    pub fn install(
        &mut self,
        base: Image,
        entries: Vec<Entry>,
        done: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        let old = std::mem::replace(&mut self.state, base.clone());
        self.shown.get_or_insert(old.values);
        self.base = base;
        self.entries = entries.into();
        self.rewrite(done);
    }

    /// Whether it is time to apply entries, so that the log can be shortened.
    pub fn is_long(&self) -> bool {
        self.entries.len() > self.keep.saturating_mul(2)
    }

    /// Has the image take over applied entries once there are many of them.
    fn shorten(&mut self) {
        let applied = usize::try_from(self.state.at.index - self.base.at.index).unwrap_or(0);
        if applied < self.keep.saturating_mul(2) {
            return;
        }
        for entry in self.entries.drain(..applied - self.keep) {
            // Everybody has been told how it ended when it was applied to the state.
            _ = self.base.apply(&entry);
        }
        // A journal that has failed says so to whoever appends next.
        self.rewrite(|_| ());
    }

    fn rewrite(&self, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        let kept = self.mistake != Some(Mistake::VoteNotPersisted);
        let promise = kept.then_some(Record::Promise(self.promised));
        let image = Record::Image(self.base.clone());
        let entries = Record::Append(self.entries.iter().cloned().collect());
        let records = promise.iter().chain([&image, &entries]);
        self.journal.replace(records.map(encode).collect(), done);
    }
}

fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("records are plain data")
}

#[cfg(test)]
mod tests;
