//! `multi-primary`: every node is a primary, and each sends its own writes to all others.
//!
//! A write is on this node's disk before it is acknowledged; the others get it later. Where two
//! nodes have written the same key, the later stamp of a hybrid logical clock wins at all of them, so a write wins
//! over all that its node had heard of. Each node speaks for itself only: unlike in `gossip`, what it
//! wrote before it died comes when it is back, and not before.

mod ship;

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use self::ship::{Marks, Outbox};
use super::{BoxFuture, Mode, Replica, Setup, Started, Status};
use crate::data_dir::DataDir;
use crate::request::{Key, Outcome, Write};
use crate::stamped::Store;

pub const MODE: Mode = Mode {
    name: "multi-primary",
    about: "Every node takes writes and sends its own to all others, conflicts go to the last writer: \
            always available, eventually consistent.",
    start: |setup| Box::pin(start(setup)),
};

struct MultiPrimary {
    store: Store,
    marks: Marks,
    outboxes: Vec<Outbox>,
    /// Holds the folder's lock.
    _data: DataDir,
}

async fn start(setup: Setup) -> Result<Started, String> {
    let Setup { peers, data, mount, mistake, options, applied, alarm } = setup;
    let store = Store::open(&data.file("primary.log"), mount, mistake, peers.me(), applied, alarm)?;
    let marks = Marks::of(&store);
    let (outboxes, inboxes): (_, Vec<_>) = peers.others().map(|_| ship::outbox()).unzip();
    let node = Arc::new(MultiPrimary { store, marks, outboxes, _data: data });
    for (peer, inbox) in peers.others().zip(inboxes) {
        tokio::spawn(ship::run(node.clone(), peers.clone(), peer, inbox, options.gossip_interval));
    }
    Ok(Started { peer_routes: ship::routes(node.clone()), replica: node })
}

impl Replica for MultiPrimary {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        let value = self.store.get(&key);
        Box::pin(async { Ok(value) })
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Some(value) = write.unconditional() else {
                return Outcome::Unsupported {
                    error:
                        "mode multi-primary has no atomic compare-and-set: every node takes writes"
                            .into(),
                };
            };
            let outboxes = self.outboxes.clone();
            let ship = move |entry| outboxes.iter().for_each(|outbox| outbox.put(&entry));
            match self.store.accept(key, value, ship).await {
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
