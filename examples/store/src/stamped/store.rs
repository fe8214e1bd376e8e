//! A table of stamped values, durable in a journal.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use tokio::sync::oneshot;

use super::clock::{Clock, Stamp};
use super::table::{Entry, Table};
use crate::applied::AppliedLog;
use crate::id::NodeId;
use crate::journal::{Journal, Mount};
use crate::mistakes::Mistake;
use crate::modes::Alarm;
use crate::request::Key;

/// A journal of less is not worth rewriting.
const SMALL_JOURNAL_BYTES: u64 = 4 << 20;

/// Tells once something is durable.
pub type Durable = oneshot::Receiver<Result<(), String>>;

/// One node's values.
pub struct Store {
    local: Mutex<Local>,
    journal: Journal,
    alarm: Alarm,
}

/// A lock on the table. The same lock orders the journal, so a rewrite never drops what was appended
/// before it.
struct Local {
    clock: Clock,
    table: Table,
    rewritten_bytes: u64,
    mistake: Option<Mistake>,
    applied: AppliedLog,
}

impl Local {
    /// Takes over `entry` if it is newer than what is there, and says whether it was.
    fn merge(&mut self, entry: Entry) -> bool {
        let noted = self.applied.is_kept().then(|| entry.clone());
        let changed = if self.mistake == Some(Mistake::ElementResurrected) && entry.value.is_null()
        {
            // That it was removed is not remembered.
            self.table.forget(&entry.key)
        } else {
            self.table.merge(entry)
        };
        if let Some(Entry { key, value, stamp }) = noted.filter(|_| changed) {
            self.applied.shows(&key, &value, (stamp.time_ns, stamp.node));
        }
        changed
    }
}

impl Store {
    /// Opens the values of node `me` at `path`.
    pub fn open(
        path: &Path,
        mount: Mount,
        mistake: Option<Mistake>,
        me: NodeId,
        applied: AppliedLog,
        alarm: Alarm,
    ) -> Result<Self, String> {
        let (journal, records) = Journal::open(path, mount).map_err(|error| error.to_string())?;
        let mut local = Local {
            clock: Clock::new(me, mistake),
            table: Table::new(),
            rewritten_bytes: 0,
            mistake,
            applied,
        };
        for record in records {
            let entry: Entry = serde_json::from_slice(&record).map_err(|error| {
                format!("a record of {} is not understood: {error}", path.display())
            })?;
            local.clock.hear(entry.stamp);
            local.merge(entry);
        }
        Ok(Self { local: Mutex::new(local), journal, alarm })
    }

    /// The value of `key`, `null` if it has none.
    pub fn get(&self, key: &Key) -> Value {
        self.local().table.get(key).cloned().unwrap_or_default()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.local().table.len()
    }

    /// Asks the table something.
    pub fn with_table<T>(&self, ask: impl FnOnce(&Table) -> T) -> T {
        ask(&self.local().table)
    }

    /// The value of `key` with its stamp.
    pub fn entry(&self, key: &Key) -> Option<Entry> {
        self.local().table.entry(key)
    }

    /// A stamp of this node's that is later than `seen` and than all that it knows of.
    pub fn stamp_after(&self, seen: Option<Stamp>) -> Stamp {
        let mut local = self.local();
        seen.into_iter().for_each(|seen| local.clock.hear(seen));
        local.clock.tick()
    }

    /// Stamps and keeps a new value. Once it is durable, and not before, it goes to `then`, in the
    /// order of the stamps; and only then this returns.
    pub async fn accept(
        &self,
        key: Key,
        value: Value,
        then: impl FnOnce(Entry) + Send + 'static,
    ) -> Result<(), String> {
        let durable = {
            let mut local = self.local();
            let entry = Entry { key, value, stamp: local.clock.tick() };
            local.merge(entry.clone());
            self.keep(&mut local, entry, then)
        };
        durable.await.unwrap_or_else(|_| Err("the journal has stopped".into()))
    }

    /// Takes over what is newer of what a peer says.
    pub fn hear(&self, entries: Vec<Entry>) {
        for entry in entries {
            let mut local = self.local();
            local.clock.hear(entry.stamp);
            if local.merge(entry.clone()) {
                drop(self.keep(&mut local, entry, |_| ()));
            }
        }
    }

    /// The same, and returns once all of it, or what is newer, is durable.
    pub async fn hear_durably(&self, mut entries: Vec<Entry>) -> Result<(), String> {
        let Some(last) = entries.pop() else { return Ok(()) };
        self.hear(entries);
        let durable = {
            let mut local = self.local();
            local.clock.hear(last.stamp);
            local.merge(last.clone());
            // What was there already may not be on disk yet, so it goes there behind it in any case.
            let kept = local.table.entry(&last.key).unwrap_or(last);
            self.keep(&mut local, kept, |_| ())
        };
        durable.await.unwrap_or_else(|_| Err("the journal has stopped".into()))
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap()
    }

    /// Puts an entry that is in the table on disk too.
    fn keep(
        &self,
        local: &mut Local,
        entry: Entry,
        then: impl FnOnce(Entry) + Send + 'static,
    ) -> Durable {
        let (tell, told) = oneshot::channel();
        let checked = self.checked();
        self.journal.append(encode(&entry), move |result| {
            let result = checked(result).map(|()| then(entry));
            _ = tell.send(result);
        });
        if self.journal.bytes() > 2 * local.rewritten_bytes + SMALL_JOURNAL_BYTES {
            let records: Vec<_> = local.table.entries().map(|entry| encode(&entry)).collect();
            local.rewritten_bytes = records.iter().map(Vec::len).sum::<usize>() as u64;
            let checked = self.checked();
            self.journal.replace(records, move |result| _ = checked(result));
        }
        told
    }

    /// Raises the alarm about what the journal could not do.
    fn checked(&self) -> impl Fn(std::io::Result<()>) -> Result<(), String> + Send + 'static {
        let alarm = self.alarm.clone();
        move |result| {
            result.map_err(|error| {
                let reason = format!("cannot write the journal: {error}");
                alarm.raise(reason.clone());
                reason
            })
        }
    }
}

fn encode(entry: &Entry) -> Vec<u8> {
    serde_json::to_vec(entry).expect("entries are plain data")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::journal;

    fn store(folder: &Path, mount: Mount) -> (Store, mpsc::UnboundedReceiver<String>) {
        let (alarm, alarms) = Alarm::new();
        let path = folder.join("log");
        let me = "n1".parse().unwrap();
        (Store::open(&path, mount, None, me, AppliedLog::default(), alarm).unwrap(), alarms)
    }

    async fn put(store: &Store, key: &str, value: Value) -> Result<(), String> {
        store.accept(Key::new(key.to_owned()).unwrap(), value, |_| ()).await
    }

    #[tokio::test]
    async fn a_write_that_cannot_be_made_durable_is_not_said_to_be_and_raises_the_alarm() {
        struct Broken;
        impl journal::Medium for Broken {
            fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
                Ok(())
            }
            fn sync(&mut self) -> std::io::Result<()> {
                Err(std::io::Error::other("no space left"))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (store, mut alarms) = store(folder.path(), |_| Box::new(Broken));
        assert!(put(&store, "k", json!(1)).await.is_err());
        assert!(alarms.recv().await.unwrap().contains("no space left"));
    }

    #[tokio::test]
    async fn the_journal_does_not_grow_without_end_and_loses_nothing_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut alarms) = store(folder.path(), journal::plain);
        let filler = "x".repeat(200_000);
        for round in 0..60 {
            let key = if round % 10 == 0 { format!("kept{round}") } else { "busy".to_owned() };
            assert_eq!(put(&store, &key, json!([round, filler])).await, Ok(()));
        }
        assert!(alarms.try_recv().is_err());
        let size = std::fs::metadata(folder.path().join("log")).unwrap().len();
        assert!(size < 9_000_000, "60 writes of 200 kB left {size} bytes");

        let (again, _) = self::store(folder.path(), journal::plain);
        let entries = |store: &Store| store.with_table(|it| it.entries().collect::<Vec<_>>());
        assert!(entries(&again) == entries(&store));
        assert_eq!(again.len(), 7);
    }
}
