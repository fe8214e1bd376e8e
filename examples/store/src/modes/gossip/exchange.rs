//! How two gossip nodes tell each other what they know.
//!
//! One task for each peer does both: it passes new writes on, and every now and then it compares
//! notes: our digest; their stamps where it differs; our newer entries for theirs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::debug;

use super::Gossip;
use crate::id::NodeId;
use crate::peers::{PeerError, Peers, at_most_a_message};
use crate::request::Key;
use crate::stamped::{Digest, Entry, Stamps, Table};

const COMPARE: &str = "/gossip/compare";
const EXCHANGE: &str = "/gossip/exchange";
const TIMEOUT: Duration = Duration::from_millis(400);

/// How many keys go into one message at most; the rest waits for the next round.
const MESSAGE_KEYS: usize = 2000;

#[derive(Serialize, Deserialize)]
struct Exchange {
    newer: Vec<Entry>,
    wanted: Vec<Key>,
}

/// The routes for peers.
pub fn routes(gossip: Arc<Gossip>) -> Router {
    Router::new()
        .route(COMPARE, post(compare))
        .route(EXCHANGE, post(exchange))
        .layer(DefaultBodyLimit::disable())
        .with_state(gossip)
}

async fn compare(State(gossip): State<Arc<Gossip>>, Json(theirs): Json<Digest>) -> Json<Stamps> {
    Json(gossip.store.with_table(|table| table.stamps_where_differs(&theirs)))
}

async fn exchange(
    State(gossip): State<Arc<Gossip>>,
    Json(Exchange { newer, wanted }): Json<Exchange>,
) -> Json<Vec<Entry>> {
    gossip.store.hear(newer);
    let entries = gossip.store.with_table(|table| table.entries_of(&wanted));
    Json(at_most_a_message(entries))
}

/// Starts the tasks, one for each peer with what it is to pass on.
pub fn spawn(
    gossip: &Arc<Gossip>,
    peers: &Peers,
    inboxes: Vec<(NodeId, mpsc::Receiver<Entry>)>,
    interval: Duration,
) {
    // The peers take turns, so that this node compares notes once in every interval.
    let round = interval * inboxes.len() as u32;
    for (turn, (peer, inbox)) in inboxes.into_iter().enumerate() {
        let first = Instant::now() + interval * turn as u32;
        let link = Link { gossip: gossip.clone(), peers: peers.clone(), peer };
        tokio::spawn(link.run(inbox, first, round));
    }
}

struct Link {
    gossip: Arc<Gossip>,
    peers: Peers,
    peer: NodeId,
}

impl Link {
    async fn run(self, mut inbox: mpsc::Receiver<Entry>, first: Instant, round: Duration) {
        let mut rounds = interval_at(first, round);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut news = Vec::new();
            let result = tokio::select! {
                count = inbox.recv_many(&mut news, MESSAGE_KEYS) => match count {
                    0 => return,
                    _ => self.exchange(at_most_a_message(news), Vec::new()).await,
                },
                _ = rounds.tick() => self.compare().await,
            };
            if let Err(error) = result {
                debug!(%error, "a peer missed something");
            }
        }
    }

    async fn compare(&self) -> Result<(), PeerError> {
        let ours = self.gossip.store.with_table(Table::digest);
        let theirs = self.peers.ask(self.peer, COMPARE, &ours, TIMEOUT).await?;
        let (mut wanted, newer) = self.gossip.store.with_table(|table| table.compare(&theirs));
        if wanted.is_empty() && newer.is_empty() {
            return Ok(());
        }
        wanted.truncate(MESSAGE_KEYS);
        self.exchange(at_most_a_message(newer), wanted).await
    }

    async fn exchange(&self, newer: Vec<Entry>, wanted: Vec<Key>) -> Result<(), PeerError> {
        let question = Exchange { newer, wanted };
        let entries = self.peers.ask(self.peer, EXCHANGE, &question, TIMEOUT).await?;
        self.gossip.store.hear(entries);
        Ok(())
    }
}
