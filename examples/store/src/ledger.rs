//! The log of a group: all writes in one order, durable, and the values that they lead to.
//!
//! A position is an epoch and an index. In one epoch one primary writes, so two logs that hold the
//! same position are the same up to there. What lies far back is kept as an image of the values only.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::applied::AppliedLog;
use crate::journal::{Journal, Mount};
use crate::mistakes::Mistake;
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
    fn apply(&mut self, entry: &Entry) -> Outcome {
        self.at = entry.at;
        let command = entry.command.clone();
        command.map_or(Outcome::Ok, |command| command.apply(&mut self.values))
    }

    /// Notes what a key has from now on.
    fn note(&self, key: &Key, applied: &AppliedLog) {
        let value = self.values.get(key).unwrap_or(&Value::Null);
        applied.shows(key, value, (self.at.epoch, self.at.index));
    }

    fn note_all(&self, applied: &AppliedLog) {
        self.values.keys().for_each(|key| self.note(key, applied));
    }
}

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
            let command = entry.command.iter().filter(|command| command.key == *key);
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
            if let (Some(command), Outcome::Ok) = (&entry.command, &outcome) {
                self.state.note(&command.key, &self.applied);
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
mod tests {
    use serde_json::json;
    use tokio::sync::oneshot;

    use super::*;
    use crate::journal;
    use crate::request::Write;

    fn put(epoch: u64, index: u64, value: u64) -> Entry {
        let key = Key::new(format!("k{}", index % 3)).unwrap();
        let write = Write::Put { value: json!(value) };
        Entry { at: Position { epoch, index }, command: Some(Command { key, write }) }
    }

    fn open(folder: &tempfile::TempDir) -> Ledger {
        Ledger::open(&folder.path().join("log"), journal::plain, 10, None, AppliedLog::default())
            .unwrap()
    }

    /// Waits until everything before is on disk.
    async fn settle(ledger: &mut Ledger) {
        let (tell, told) = oneshot::channel();
        let promised = ledger.promised();
        ledger.promise(promised, |result| _ = tell.send(result));
        told.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_log_that_was_shortened_comes_back_with_the_same_values_and_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(&folder);
        ledger.promise(3, |_| ());
        for index in 1..=100 {
            ledger.append(vec![put(3, index, index)], |_| ());
            ledger.apply_to(index - 1);
        }
        assert!(ledger.base().at.index > 70 && ledger.entries.len() < 30);
        assert_eq!(ledger.position(5), None, "it is in the image");
        settle(&mut ledger).await;

        let mut again = open(&folder);
        assert_eq!((again.end(), again.promised()), (Position { epoch: 3, index: 100 }, 3));
        again.apply_to(100);
        for key in 0..3 {
            let key = Key::new(format!("k{key}")).unwrap();
            let last = (98..=100).find(|index| put(3, *index, 0).command.unwrap().key == key);
            assert_eq!(again.get(&key), json!(last.unwrap()));
        }
    }

    #[tokio::test]
    async fn logs_that_hold_one_position_are_told_from_those_that_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(&folder);
        ledger.append(vec![put(1, 1, 1), put(1, 2, 2)], |_| ());
        ledger.apply_to(2);
        assert!(ledger.holds(Position::default()) && ledger.holds(Position { epoch: 1, index: 2 }));
        assert!(!ledger.holds(Position { epoch: 2, index: 2 }));
        assert!(!ledger.holds(Position { epoch: 1, index: 3 }));

        let image = Image { at: Position { epoch: 2, index: 2 }, values: Values::new() };
        ledger.install(image, vec![put(2, 3, 3)], |_| ());
        assert!(!ledger.holds(Position { epoch: 1, index: 2 }));
        assert_eq!(ledger.applied(), Position { epoch: 2, index: 2 });
        let key = Key::new("k1".into()).unwrap();
        assert_eq!(ledger.get(&key), json!(1), "what was there, until the new log is on disk");
        ledger.apply_to(2);
        assert_eq!(ledger.get(&key), json!(null));
        settle(&mut ledger).await;
        assert_eq!(open(&folder).end(), Position { epoch: 2, index: 3 });
    }
}
