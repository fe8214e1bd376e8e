//! Hinted hand-off: what a replica could not be told is kept for it until it is back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use super::Quorum;
use crate::id::NodeId;
use crate::journal::{Journal, Mount};
use crate::mistakes::Mistake;
use crate::modes::Alarm;
use crate::peers::at_most_a_message;
use crate::request::Key;
use crate::stamped::Entry;

/// How many hints go into one message at most; the rest waits for the next round.
const MESSAGE_ENTRIES: usize = 500;

/// A journal of less is not worth rewriting.
const SMALL_JOURNAL_BYTES: u64 = 4 << 20;

/// What each other node has missed, as far as this one knows; the newest of each key.
pub struct Hints {
    kept: Mutex<Kept>,
    journal: Journal,
    alarm: Alarm,
}

type Kept = BTreeMap<NodeId, BTreeMap<Key, Entry>>;

/// A change to the hints, as it lies in the journal.
#[derive(Serialize, Deserialize)]
enum Record {
    Kept(NodeId, Entry),
    Told(NodeId, Vec<Entry>),
}

fn replay_record(kept: &mut Kept, record: Record) {
    match record {
        Record::Kept(node, entry) => {
            let hints = kept.entry(node).or_default();
            if hints.get(&entry.key).is_none_or(|old| old.stamp < entry.stamp) {
                hints.insert(entry.key.clone(), entry);
            }
        }
        Record::Told(node, entries) => {
            let hints = kept.entry(node).or_default();
            for entry in entries {
                if hints.get(&entry.key).is_some_and(|old| old.stamp == entry.stamp) {
                    hints.remove(&entry.key);
                }
            }
        }
    }
}

impl Hints {
    /// Opens the hints at `path`.
    pub fn open(path: &Path, mount: Mount, alarm: Alarm) -> Result<Self, String> {
        let (journal, records) = Journal::open(path, mount).map_err(|error| error.to_string())?;
        let mut kept = Kept::new();
        for record in records {
            let record = serde_json::from_slice(&record)
                .map_err(|error| format!("a record of {} is strange: {error}", path.display()))?;
            replay_record(&mut kept, record);
        }
        Ok(Self { kept: Mutex::new(kept), journal, alarm })
    }

    /// Keeps something that `node` has missed.
    pub fn keep(&self, node: NodeId, entry: Entry) {
        self.change(Record::Kept(node, entry));
    }

    /// Some of what `node` has missed.
    fn of(&self, node: NodeId) -> Vec<Entry> {
        let kept = self.kept.lock().unwrap();
        let hints = kept.get(&node).into_iter().flat_map(BTreeMap::values);
        at_most_a_message(hints.take(MESSAGE_ENTRIES).cloned().collect())
    }

    fn change(&self, record: Record) {
        let encode = |record: &Record| serde_json::to_vec(record).expect("hints are plain data");
        let alarm = self.alarm.clone();
        let told = move |result: std::io::Result<()>| {
            if let Err(error) = result {
                alarm.raise(format!("cannot write hints.log: {error}"));
            }
        };
        let mut kept = self.kept.lock().unwrap();
        self.journal.append(encode(&record), told.clone());
        replay_record(&mut kept, record);
        // Hints come and go: what is left is little once they have been told.
        if self.journal.bytes() > SMALL_JOURNAL_BYTES && kept.values().all(BTreeMap::is_empty) {
            self.journal.replace(Vec::new(), told);
        }
    }
}

/// Tells a node what it has missed, for as long as this one lives.
pub async fn replay(quorum: Arc<Quorum>, peer: NodeId, every: Duration) {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let hints = quorum.hints.of(peer);
        if hints.is_empty() {
            continue;
        }
        let mut told = hints.clone();
        if quorum.mistake == Some(Mistake::StaleHintReplay) {
            // As if they were written now.
            told.iter_mut().for_each(|entry| entry.stamp = quorum.store.stamp_after(None));
        }
        match quorum.put_to(peer, told).await {
            Ok(()) => quorum.hints.change(Record::Told(peer, hints)),
            Err(error) => debug!(%error, "hints are kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::journal;
    use crate::stamped::Stamp;

    #[tokio::test]
    async fn the_newest_hint_of_a_key_is_kept_over_a_restart_until_it_was_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hints.log");
        let open = || Hints::open(&path, journal::plain, Alarm::new().0).unwrap();
        let node: NodeId = "n2".parse().unwrap();
        let entry = |key: &str, time_ns| Entry {
            key: Key::new(key.to_owned()).unwrap(),
            value: json!(time_ns),
            stamp: Stamp { time_ns, node: "n1".parse().unwrap() },
        };
        let hints = open();
        [entry("a", 1), entry("a", 3), entry("a", 2), entry("b", 5)]
            .into_iter()
            .for_each(|entry| hints.keep(node, entry));
        assert_eq!(hints.of(node), [entry("a", 3), entry("b", 5)]);
        // A newer one came while the older one was told.
        hints.keep(node, entry("b", 6));
        hints.change(Record::Told(node, vec![entry("a", 3), entry("b", 5)]));
        assert_eq!(hints.of(node), [entry("b", 6)]);
        hints.journal.append_durably(b"{\"Told\":[\"n3\",[]]}".to_vec()).await.unwrap();
        assert_eq!(open().of(node), [entry("b", 6)]);
    }
}
