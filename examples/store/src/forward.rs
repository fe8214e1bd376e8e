//! Handing a request to the node that serves it, where one node serves all.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::id::NodeId;
use crate::mistakes::Mistake;
use crate::peers::{PeerError, Peers};
use crate::request::{Command, Key, Outcome, Write};

const READ: &str = "/forward/read";
const WRITE: &str = "/forward/write";

/// Who serves a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Server {
    /// This node.
    Me,
    /// Another one.
    Other(NodeId),
}

/// A node of a cluster in which one node serves the requests of all.
pub trait Led: Send + Sync + 'static {
    /// This node and the others.
    fn peers(&self) -> &Peers;
    /// The mistake to make, if any.
    fn mistake(&self) -> Option<Mistake>;
    /// Who serves, as far as this node knows; or why nobody does.
    fn server(&self) -> Result<Server, String>;
    /// Reads, if this node serves.
    fn read_here(
        &self,
        key: Key,
        deadline: Instant,
    ) -> impl Future<Output = Result<Value, String>> + Send;
    /// Writes, if this node serves.
    fn write_here(
        &self,
        command: Command,
        deadline: Instant,
    ) -> impl Future<Output = Outcome> + Send;
}

/// A request on its way to the node that serves it.
#[derive(Serialize, Deserialize)]
pub struct Forwarded<T> {
    /// What is asked for.
    pub request: T,
    /// How long the client still waits. Clocks of two nodes cannot be compared, durations can.
    pub limit: Duration,
}

/// The routes for peers.
pub fn routes<N: Led>(node: Arc<N>) -> Router {
    Router::new()
        .route(READ, post(answer_read::<N>))
        .route(WRITE, post(answer_write::<N>))
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

async fn answer_read<N: Led>(
    State(node): State<Arc<N>>,
    Json(Forwarded { request, limit }): Json<Forwarded<Key>>,
) -> Json<Result<Value, String>> {
    Json(node.read_here(request, Instant::now() + limit).await)
}

async fn answer_write<N: Led>(
    State(node): State<Arc<N>>,
    Json(Forwarded { request, limit }): Json<Forwarded<Command>>,
) -> Json<Outcome> {
    Json(node.write_here(request, Instant::now() + limit).await)
}

/// Reads here or where it is served. A read does no harm, so every failure is a refusal.
pub async fn read(node: &impl Led, key: Key, deadline: Instant) -> Result<Value, String> {
    match node.server()? {
        Server::Me => node.read_here(key, deadline).await,
        Server::Other(server) => {
            let limit = deadline - Instant::now();
            let question = Forwarded { request: key, limit };
            let answer = node.peers().ask(server, READ, &question, limit).await;
            answer.unwrap_or_else(|error| Err(error.to_string()))
        }
    }
}

/// Writes here or where it is served, once.
pub async fn write(node: &impl Led, command: Command, deadline: Instant) -> Outcome {
    if node.mistake() == Some(Mistake::NonAtomicCas)
        && let Write::Cas { old, new } = command.write
    {
        return compare_then_set(node, command.key, old, new, deadline).await;
    }
    match node.server() {
        Ok(Server::Me) => node.write_here(command, deadline).await,
        Ok(Server::Other(server)) => {
            let limit = deadline - Instant::now();
            if node.mistake() == Some(Mistake::DoubleApplyOnRetry) {
                // The first request may be carried out all the same.
                let first = hand(node.peers(), server, WRITE, command.clone(), limit / 4).await;
                if !matches!(first, Outcome::Unknown { .. }) {
                    return first;
                }
            }
            hand(node.peers(), server, WRITE, command, deadline - Instant::now()).await
        }
        Err(error) => Outcome::refused(error),
    }
}

/// A compare-and-set in two steps, between which another write fits: a known mistake.
async fn compare_then_set(
    node: &impl Led,
    key: Key,
    old: Value,
    new: Value,
    deadline: Instant,
) -> Outcome {
    match read(node, key.clone(), deadline).await {
        Ok(value) if value == old => {
            let set = Command { key, write: Write::Put { value: new } };
            Box::pin(write(node, set, deadline)).await
        }
        Ok(value) => Outcome::Mismatch { value },
        Err(error) => Outcome::refused(error),
    }
}

/// Hands something that changes the data to another node, once.
pub async fn hand<T: Serialize>(
    peers: &Peers,
    server: NodeId,
    path: &str,
    request: T,
    limit: Duration,
) -> Outcome {
    match peers.ask(server, path, &Forwarded { request, limit }, limit).await {
        Ok(outcome) => outcome,
        Err(error @ PeerError::NotSent { .. }) => Outcome::refused(error.to_string()),
        Err(error @ PeerError::NoAnswer { .. }) => Outcome::unknown(error.to_string()),
    }
}
