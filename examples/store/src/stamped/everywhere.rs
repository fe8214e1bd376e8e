//! A node that answers every request from its own table and tells the others later: what the modes
//! share in which all nodes take writes.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::{Entry, Store};
use crate::data_dir::DataDir;
use crate::modes::{BoxFuture, Replica, Setup, Status};
use crate::request::{Key, Outcome, Write};

/// How the others hear of a write.
pub trait Links: Send + Sync + 'static {
    /// The mode, for people.
    const MODE: &'static str;

    /// Passes a fresh write on. It is called in the order of the stamps, and only once the write is
    /// durable: a stamp that a peer knows and this node forgot could be issued twice.
    fn tell(&self, entry: &Entry);
}

/// One such node.
pub struct Everywhere<L> {
    /// What it has.
    pub store: Store,
    /// How it tells.
    pub links: Arc<L>,
    /// Holds the folder's lock.
    _data: DataDir,
}

impl<L: Links> Everywhere<L> {
    /// Opens a node with its journal in `file`.
    pub fn open(
        setup: Setup,
        file: &str,
        links: impl FnOnce(&Store) -> L,
    ) -> Result<Arc<Self>, String> {
        let Setup { peers, data, mount, mistake, applied, alarm, .. } = setup;
        let store = Store::open(&data.file(file), mount, mistake, peers.me(), applied, alarm)?;
        let links = Arc::new(links(&store));
        Ok(Arc::new(Self { store, links, _data: data }))
    }
}

impl<L: Links> Replica for Everywhere<L> {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        let value = self.store.get(&key);
        Box::pin(async { Ok(value) })
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Some(value) = write.unconditional() else {
                let mode = L::MODE;
                let error =
                    format!("mode {mode} has no atomic compare-and-set: every node takes writes");
                return Outcome::Unsupported { error };
            };
            let links = self.links.clone();
            match self.store.accept(key, value, move |entry| links.tell(&entry)).await {
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
