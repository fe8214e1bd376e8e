//! How a primary's own writes get to another one: in the order of their stamps.
//!
//! The other one remembers the last stamp that it has from here, so after any break it is asked for
//! that, and gets what is behind it. What a later write has replaced need not be sent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::debug;

use super::MultiPrimary;
use crate::id::NodeId;
use crate::peers::{Peers, at_most_a_message};
use crate::stamped::{Entry, Store};

const MARK: &str = "/multi-primary/mark";
const SHIP: &str = "/multi-primary/ship";
const TIMEOUT: Duration = Duration::from_millis(400);

/// How many writes go into one message at most, and how many may wait for it.
const MESSAGE_ENTRIES: usize = 1000;

/// The time of the last write that is here, for each node that it came from.
pub struct Marks(Mutex<HashMap<NodeId, u64>>);

impl Marks {
    /// As far as the values themselves tell. What has been replaced meanwhile is sent once more.
    pub fn of(store: &Store) -> Self {
        let mut marks = HashMap::new();
        store.with_table(|table| {
            for entry in table.entries() {
                let mark = marks.entry(entry.stamp.node).or_default();
                *mark = entry.stamp.time_ns.max(*mark);
            }
        });
        Self(Mutex::new(marks))
    }

    fn of_node(&self, node: NodeId) -> u64 {
        self.0.lock().unwrap().get(&node).copied().unwrap_or_default()
    }

    fn reach(&self, node: NodeId, time_ns: u64) {
        let mut marks = self.0.lock().unwrap();
        let mark = marks.entry(node).or_default();
        *mark = time_ns.max(*mark);
    }
}

/// Where fresh writes for another node are put.
#[derive(Clone)]
pub struct Outbox {
    tell: mpsc::Sender<Entry>,
    overflown: Arc<AtomicBool>,
}

/// Where they are taken from.
pub struct Inbox {
    told: mpsc::Receiver<Entry>,
    overflown: Arc<AtomicBool>,
}

/// Both ends. It is bounded: what does not fit is found again in the table.
pub fn outbox() -> (Outbox, Inbox) {
    let (tell, told) = mpsc::channel(MESSAGE_ENTRIES);
    let overflown = Arc::new(AtomicBool::new(false));
    (Outbox { tell, overflown: overflown.clone() }, Inbox { told, overflown })
}

impl Outbox {
    /// Puts a durable write in; in the order of their stamps.
    pub fn put(&self, entry: &Entry) {
        if self.tell.try_send(entry.clone()).is_err() {
            self.overflown.store(true, Ordering::Release);
        }
    }
}

/// The routes for peers.
pub fn routes(node: Arc<MultiPrimary>) -> Router {
    Router::new()
        .route(MARK, post(mark))
        .route(SHIP, post(receive))
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

async fn mark(State(node): State<Arc<MultiPrimary>>, Json(of): Json<NodeId>) -> Json<u64> {
    Json(node.links.marks.of_node(of))
}

async fn receive(
    State(node): State<Arc<MultiPrimary>>,
    Json(entries): Json<Vec<Entry>>,
) -> Json<Result<(), String>> {
    let last = entries.last().map(|entry| entry.stamp);
    let heard = node.store.hear_durably(entries).await;
    if let (Ok(()), Some(last)) = (&heard, last) {
        node.links.marks.reach(last.node, last.time_ns);
    }
    Json(heard)
}

/// Sends this node's writes to another one, for as long as it lives.
pub async fn run(
    node: Arc<MultiPrimary>,
    peers: Peers,
    peer: NodeId,
    mut inbox: Inbox,
    pause: Duration,
) {
    let link = Link { node, peers, peer };
    loop {
        // What comes from here on is in the inbox, what came before in the table.
        inbox.overflown.store(false, Ordering::Release);
        while inbox.told.try_recv().is_ok() {}
        let error = match link.catch_up().await {
            Ok(()) => link.follow(&mut inbox).await,
            Err(error) => error,
        };
        debug!(%error, "a peer will have to catch up");
        sleep(pause).await;
    }
}

struct Link {
    node: Arc<MultiPrimary>,
    peers: Peers,
    peer: NodeId,
}

impl Link {
    /// Sends all that the other one lacks.
    async fn catch_up(&self) -> Result<(), String> {
        let me = self.peers.me();
        let mark = self.peers.ask(self.peer, MARK, &me, TIMEOUT).await;
        let mark: u64 = mark.map_err(|error| error.to_string())?;
        let own = |entry: &Entry| entry.stamp.node == me && entry.stamp.time_ns > mark;
        let mut lacks: Vec<Entry> =
            self.node.store.with_table(|table| table.entries().filter(own).collect());
        lacks.sort_unstable_by_key(|entry| entry.stamp);
        while !lacks.is_empty() {
            let first = lacks.iter().take(MESSAGE_ENTRIES).cloned().collect();
            let message = at_most_a_message(first);
            self.send(&message).await?;
            lacks.drain(..message.len());
        }
        Ok(())
    }

    /// Passes on what comes, until that fails; returns why.
    async fn follow(&self, inbox: &mut Inbox) -> String {
        loop {
            let mut news = Vec::new();
            if inbox.told.recv_many(&mut news, MESSAGE_ENTRIES).await == 0 {
                return "this node stops".to_owned();
            }
            if inbox.overflown.load(Ordering::Acquire) {
                return "there was more than could be kept for it".to_owned();
            }
            while !news.is_empty() {
                let message = at_most_a_message(news.clone());
                if let Err(error) = self.send(&message).await {
                    return error;
                }
                news.drain(..message.len());
            }
        }
    }

    async fn send(&self, entries: &[Entry]) -> Result<(), String> {
        match self.peers.ask(self.peer, SHIP, entries, TIMEOUT).await {
            Ok(answer) => answer,
            Err(error) => Err(error.to_string()),
        }
    }
}
