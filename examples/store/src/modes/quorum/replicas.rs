//! What one replica is asked, over the network or in the same node.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};

use super::Quorum;
use crate::id::NodeId;
use crate::request::Key;
use crate::stamped::Entry;

const GET: &str = "/quorum/get";
const PUT: &str = "/quorum/put";

/// A write asks twice, and all of it has to fit into the time for a request.
const TIMEOUT: Duration = Duration::from_millis(350);

/// The routes for peers.
pub fn routes(quorum: Arc<Quorum>) -> Router {
    Router::new()
        .route(GET, post(get))
        .route(PUT, post(put))
        .layer(DefaultBodyLimit::disable())
        .with_state(quorum)
}

async fn get(State(quorum): State<Arc<Quorum>>, Json(key): Json<Key>) -> Json<Option<Entry>> {
    Json(quorum.store.entry(&key))
}

async fn put(
    State(quorum): State<Arc<Quorum>>,
    Json(entries): Json<Vec<Entry>>,
) -> Json<Result<(), String>> {
    Json(quorum.put_here(entries).await)
}

impl Quorum {
    /// What a replica has of a key.
    pub(super) async fn get_from(&self, node: NodeId, key: Key) -> Result<Option<Entry>, String> {
        if node == self.peers.me() {
            return Ok(self.store.entry(&key));
        }
        let answer = self.peers.ask(node, GET, &key, TIMEOUT).await;
        answer.map_err(|error| error.to_string())
    }

    /// Has a replica take over what is newer than what it has, durably.
    pub(super) async fn put_to(&self, node: NodeId, entries: Vec<Entry>) -> Result<(), String> {
        if node == self.peers.me() {
            return self.put_here(entries).await;
        }
        match self.peers.ask(node, PUT, &entries, TIMEOUT).await {
            Ok(answer) => answer,
            Err(error) => Err(error.to_string()),
        }
    }

    async fn put_here(&self, entries: Vec<Entry>) -> Result<(), String> {
        self.store.hear_durably(entries).await
    }
}
