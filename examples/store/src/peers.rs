//! The other nodes, and how to talk to them: JSON over HTTP/1.1.
//!
//! A partition drops packets silently, and TCP then waits longer and longer between attempts. So
//! nothing here waits on an old connection: a request that runs out of time is dropped, which closes
//! its connection, and the next one connects anew. A cluster is then itself again one connect after
//! the heal, however long the cut was.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::id::NodeId;

/// Shorter than every request's own limit, so that a peer that cannot be reached is told from one
/// that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(200);

/// What the kernel may still try to deliver after we gave up. Without it a request that was cut off
/// could arrive whenever the kernel's next attempt happens to be, minutes later.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a peer gave no answer.
#[derive(Debug, Error)]
pub enum PeerError {
    /// No byte of the request was sent.
    #[error("cannot reach {peer}: {cause}")]
    NotSent {
        /// Which peer.
        peer: NodeId,
        /// What failed.
        cause: String,
    },
    /// The request was sent, or may have been.
    #[error("no answer from {peer}: {cause}")]
    NoAnswer {
        /// Which peer.
        peer: NodeId,
        /// What failed.
        cause: String,
    },
}

/// All nodes of the cluster and a client to reach them. Clones share their connections.
#[derive(Clone)]
pub struct Peers {
    me: NodeId,
    addresses: Arc<BTreeMap<NodeId, SocketAddr>>,
    client: Client,
}

impl Peers {
    /// The cluster with these addresses, which include `me`.
    pub fn new(me: NodeId, addresses: BTreeMap<NodeId, SocketAddr>) -> Self {
        let client = Client::builder()
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(4)
            // Only a protocol of our own knows whether a repeated request does harm.
            .retry(reqwest::retry::never())
            .build()
            .expect("a client without TLS needs nothing from the system");
        Self { me, addresses: Arc::new(addresses), client }
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// All nodes, this one included, in order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.addresses.keys().copied()
    }

    /// All nodes but this one, in order.
    pub fn others(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.all().filter(|id| *id != self.me)
    }

    /// Posts `question` to `path` of a peer and reads its answer, all within `limit`.
    pub async fn ask<Q, A>(
        &self,
        peer: NodeId,
        path: &str,
        question: &Q,
        limit: Duration,
    ) -> Result<A, PeerError>
    where
        Q: Serialize + ?Sized,
        A: DeserializeOwned,
    {
        let Some(address) = self.addresses.get(&peer) else {
            return Err(PeerError::NotSent { peer, cause: "not a node of this cluster".into() });
        };
        let failed = |error: reqwest::Error| {
            let cause = root_cause(&error);
            match error.is_connect() || error.is_builder() {
                true => PeerError::NotSent { peer, cause },
                false => PeerError::NoAnswer { peer, cause },
            }
        };
        let response = self
            .client
            .post(format!("http://{address}{path}"))
            .timeout(limit)
            .json(question)
            .send()
            .await
            .map_err(failed)?;
        if response.status() != StatusCode::OK {
            let cause = format!("HTTP status {}", response.status());
            return Err(PeerError::NoAnswer { peer, cause });
        }
        response.json().await.map_err(failed)
    }
}

/// About how large a message may be; a single item may be larger.
const MESSAGE_BYTES: usize = 1 << 20;

/// As many of the first items as fit into a message, but at least one.
pub fn at_most_a_message<T: Serialize>(mut items: Vec<T>) -> Vec<T> {
    let mut bytes = 0;
    let fits = |item: &&T| {
        let fits = bytes < MESSAGE_BYTES;
        bytes += serde_json::to_vec(item).map_or(0, |json| json.len());
        fits
    };
    let fitting = items.iter().take_while(fits).count();
    items.truncate(fitting);
    items
}

/// What really happened: reqwest's own messages repeat the address and hide the cause.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_message_takes_what_fits_and_at_least_one() {
        let items = |bytes: &[usize]| bytes.iter().map(|bytes| "x".repeat(*bytes)).collect();
        let check = |bytes: &[usize]| at_most_a_message::<String>(items(bytes)).len();
        assert_eq!(check(&[]), 0);
        assert_eq!(check(&[2 * MESSAGE_BYTES, 1]), 1);
        assert_eq!(check(&[1, 1, MESSAGE_BYTES, 1]), 3);
    }

    fn peers(address: SocketAddr) -> Peers {
        Peers::new("n1".parse().unwrap(), BTreeMap::from([("n2".parse().unwrap(), address)]))
    }

    async fn ask(peers: &Peers) -> PeerError {
        let peer = "n2".parse().unwrap();
        let limit = Duration::from_millis(300);
        peers.ask::<_, ()>(peer, "/", &1, limit).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_refused_connection_is_known_to_have_sent_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(ask(&peers(address)).await, PeerError::NotSent { .. }));
    }

    #[tokio::test]
    async fn a_peer_that_stays_silent_may_have_got_the_request() {
        // The kernel accepts for a listener that never does.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = ask(&peers(listener.local_addr().unwrap())).await;
        assert!(matches!(error, PeerError::NoAnswer { .. }), "{error}");
    }
}
