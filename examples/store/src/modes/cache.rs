//! `cache`: every node takes writes, tells the others once, and forgets about it.
//!
//! There is no version, no retry, no repair and no disk: a node that was out of reach keeps what it
//! had, and two nodes that heard two writes in different orders disagree until the next write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;

use super::{BoxFuture, Mode, Replica, Setup, Started, Status};
use crate::id::NodeId;
use crate::peers::Peers;
use crate::request::{Key, Outcome, Write};

pub const MODE: Mode = Mode {
    name: "cache",
    about: "Best-effort broadcast without repair or durability: always available, weakly consistent.",
    start: |setup| Box::pin(async { Ok(start(setup)) }),
};

const SET: &str = "/cache/set";
const TIMEOUT: Duration = Duration::from_millis(300);

/// How many writes may be under way to one peer; more are not sent to it at all.
const UNDER_WAY: usize = 256;

#[derive(Serialize, Deserialize)]
struct Set {
    key: Key,
    value: Value,
}

struct Cache {
    values: Mutex<HashMap<Key, Value>>,
    peers: Peers,
    under_way: HashMap<NodeId, Arc<Semaphore>>,
}

fn start(setup: Setup) -> Started {
    let peers = setup.peers;
    let under_way =
        peers.others().map(|peer| (peer, Arc::new(Semaphore::new(UNDER_WAY)))).collect();
    let cache = Arc::new(Cache { values: Mutex::default(), peers, under_way });
    let peer_routes = Router::new()
        .route(SET, post(heard))
        .layer(DefaultBodyLimit::disable())
        .with_state(cache.clone());
    Started { replica: cache, peer_routes }
}

async fn heard(State(cache): State<Arc<Cache>>, Json(set): Json<Set>) -> Json<()> {
    cache.set(set.key, set.value);
    Json(())
}

impl Cache {
    fn set(&self, key: Key, value: Value) {
        self.values.lock().unwrap().insert(key, value);
    }

    fn broadcast(&self, key: Key, value: Value) {
        let set = Arc::new(Set { key, value });
        for (peer, under_way) in &self.under_way {
            let Ok(permit) = under_way.clone().try_acquire_owned() else { continue };
            let (peer, peers, set) = (*peer, self.peers.clone(), set.clone());
            tokio::spawn(async move {
                if let Err(error) = peers.ask::<_, ()>(peer, SET, &*set, TIMEOUT).await {
                    debug!(%error, "a peer missed a write");
                }
                drop(permit);
            });
        }
    }
}

impl Replica for Cache {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        let value = self.values.lock().unwrap().get(&key).cloned().unwrap_or_default();
        Box::pin(async { Ok(value) })
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        let outcome = match write.unconditional() {
            Some(value) => {
                self.set(key.clone(), value.clone());
                self.broadcast(key, value);
                Outcome::Ok
            }
            None => Outcome::Unsupported {
                error: "mode cache has no atomic compare-and-set: its nodes do not agree".into(),
            },
        };
        Box::pin(async { outcome })
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn status(&self) -> Status {
        Status::peer(self.values.lock().unwrap().len())
    }
}
