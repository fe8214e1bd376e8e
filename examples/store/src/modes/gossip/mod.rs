//! `gossip`: every node takes writes; all agree in the end, and the last writer wins.
//!
//! A write is on this node's disk before it is acknowledged, then told to all peers at once. What a
//! peer missed it gets when the two next compare notes (anti-entropy; Demers et al., "Epidemic
//! Algorithms for Replicated Database Maintenance", PODC 1987).

mod clock;
mod exchange;
mod table;

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::clock::Clock;
use self::table::{Entry, Table};
use super::{Alarm, BoxFuture, Mode, Replica, Setup, Started, Status};
use crate::data_dir::DataDir;
use crate::journal::Journal;
use crate::request::{Key, Outcome, Write};

pub const MODE: Mode = Mode {
    name: "gossip",
    about: "Every node takes writes, the last writer wins: always available, eventually consistent.",
    start: |setup| Box::pin(start(setup)),
};

/// A journal of less is not worth rewriting.
const SMALL_JOURNAL_BYTES: u64 = 4 << 20;

struct Gossip {
    local: Mutex<Local>,
    journal: Journal,
    alarm: Alarm,
    /// What to tell each peer. Bounded: a peer out of reach catches up by comparing notes.
    outboxes: Vec<mpsc::Sender<Entry>>,
    /// Holds the folder's lock.
    _data: DataDir,
}

struct Local {
    clock: Clock,
    table: Table,
    rewritten_bytes: u64,
}

async fn start(setup: Setup) -> Result<Started, String> {
    let Setup { peers, data, mount, pace, alarm } = setup;
    let (journal, records) =
        Journal::open(&data.file("gossip.log"), mount).map_err(|error| error.to_string())?;
    let mut local =
        Local { clock: Clock::new(peers.me()), table: Table::new(), rewritten_bytes: 0 };
    for record in records {
        let entry: Entry = serde_json::from_slice(&record)
            .map_err(|error| format!("a record of gossip.log is not understood: {error}"))?;
        local.clock.hear(entry.stamp);
        local.table.merge(entry);
    }
    let (outboxes, inboxes): (_, Vec<_>) = peers
        .others()
        .map(|peer| (peer, mpsc::channel(1024)))
        .map(|(peer, (tell, told))| (tell, (peer, told)))
        .unzip();
    let gossip =
        Arc::new(Gossip { local: Mutex::new(local), journal, alarm, outboxes, _data: data });
    exchange::spawn(&gossip, &peers, inboxes, pace.gossip_interval);
    Ok(Started { peer_routes: exchange::routes(gossip.clone()), replica: gossip })
}

impl Gossip {
    /// Stamps and keeps a new value. Returns it, and what tells once it is durable.
    fn accept(&self, key: Key, value: Value) -> (Entry, oneshot::Receiver<Result<(), String>>) {
        let (tell, told) = oneshot::channel();
        let mut local = self.local.lock().unwrap();
        let entry = Entry { key, value, stamp: local.clock.tick() };
        local.table.merge(entry.clone());
        self.keep(&mut local, &entry, move |result| _ = tell.send(result));
        (entry, told)
    }

    /// Takes over what is newer of what a peer says.
    fn hear(&self, entries: Vec<Entry>) {
        for entry in entries {
            let mut local = self.local.lock().unwrap();
            local.clock.hear(entry.stamp);
            if local.table.merge(entry.clone()) {
                self.keep(&mut local, &entry, |_| ());
            }
        }
    }

    /// Puts an entry that is in the table on disk too. The lock on the table makes the journal's
    /// order the table's order, so a rewrite never drops what was appended before it.
    fn keep(
        &self,
        local: &mut Local,
        entry: &Entry,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) {
        let record = |entry: &Entry| serde_json::to_vec(entry).expect("entries are plain data");
        let alarm = self.alarm.clone();
        let told = move |result: std::io::Result<()>| {
            result.map_err(|error| {
                let reason = format!("cannot write gossip.log: {error}");
                alarm.raise(reason.clone());
                reason
            })
        };
        let tell = told.clone();
        self.journal.append(record(entry), move |result| done(tell(result)));
        if self.journal.bytes() > 2 * local.rewritten_bytes + SMALL_JOURNAL_BYTES {
            let records: Vec<_> = local.table.entries().map(|entry| record(&entry)).collect();
            local.rewritten_bytes = records.iter().map(Vec::len).sum::<usize>() as u64;
            self.journal.replace(records, move |result| _ = told(result));
        }
    }

    fn tell_all(&self, entry: &Entry) {
        for outbox in &self.outboxes {
            // Full means that the peer is out of reach or slow; it will compare notes.
            _ = outbox.try_send(entry.clone());
        }
    }
}

impl Replica for Gossip {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        let value = self.local.lock().unwrap().table.get(&key).cloned().unwrap_or_default();
        Box::pin(async { Ok(value) })
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Write::Put { value } = write else {
                return Outcome::Unsupported {
                    error: "mode gossip has no atomic compare-and-set: every node takes writes"
                        .into(),
                };
            };
            let (entry, durable) = self.accept(key, value);
            match durable.await {
                Ok(Ok(())) => {
                    // Only now: a stamp that a peer knows and this node forgot could be issued twice.
                    self.tell_all(&entry);
                    Outcome::Ok
                }
                Ok(Err(error)) => Outcome::unknown(error),
                Err(_) => Outcome::unknown("the journal has stopped"),
            }
        })
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn status(&self) -> Status {
        Status::peer(self.local.lock().unwrap().table.len())
    }
}

#[cfg(test)]
mod tests;
