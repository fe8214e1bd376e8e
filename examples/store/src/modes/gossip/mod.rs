//! `gossip`: every node takes writes; all agree in the end, and the last writer wins.
//!
//! A write is on this node's disk before it is acknowledged, then told to all peers at once. What a
//! peer missed it gets when the two next compare notes (anti-entropy; Demers et al., "Epidemic
//! Algorithms for Replicated Database Maintenance", PODC 1987).

mod exchange;

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{BoxFuture, Mode, Replica, Setup, Started, Status};
use crate::data_dir::DataDir;
use crate::request::{Key, Outcome, Write};
use crate::stamped::{Entry, Store};

pub const MODE: Mode = Mode {
    name: "gossip",
    about: "Every node takes writes, the last writer wins: always available, eventually consistent.",
    start: |setup| Box::pin(start(setup)),
};

struct Gossip {
    store: Store,
    /// What to tell each peer. Bounded: a peer out of reach catches up by comparing notes.
    outboxes: Vec<mpsc::Sender<Entry>>,
    /// Holds the folder's lock.
    _data: DataDir,
}

async fn start(setup: Setup) -> Result<Started, String> {
    let Setup { peers, data, mount, mistake, options, applied, alarm } = setup;
    let store = Store::open(&data.file("gossip.log"), mount, mistake, peers.me(), applied, alarm)?;
    let (outboxes, inboxes): (_, Vec<_>) = peers
        .others()
        .map(|peer| (peer, mpsc::channel(1024)))
        .map(|(peer, (tell, told))| (tell, (peer, told)))
        .unzip();
    let gossip = Arc::new(Gossip { store, outboxes, _data: data });
    exchange::spawn(&gossip, &peers, inboxes, options.gossip_interval);
    Ok(Started { peer_routes: exchange::routes(gossip.clone()), replica: gossip })
}

impl Replica for Gossip {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        let value = self.store.get(&key);
        Box::pin(async { Ok(value) })
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Some(value) = write.unconditional() else {
                return Outcome::Unsupported {
                    error: "mode gossip has no atomic compare-and-set: every node takes writes"
                        .into(),
                };
            };
            let outboxes = self.outboxes.clone();
            // Peers are told once it is durable: a stamp that a peer knows and this node forgot
            // could be issued twice. A full outbox is that of a peer which is out of reach or slow;
            // it will compare notes.
            let tell = move |entry: Entry| {
                outboxes.iter().for_each(|outbox| _ = outbox.try_send(entry.clone()));
            };
            match self.store.accept(key, value, tell).await {
                Ok(()) => Outcome::Ok,
                Err(error) => Outcome::unknown(error),
            }
        })
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn status(&self) -> Status {
        Status::peer(self.store.len())
    }
}
