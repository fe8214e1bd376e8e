//! The ways to replicate, each in a file of its own.

mod cache;
mod gossip;
mod multi_primary;
mod primary_backup;
mod quorum;
mod raft;
mod read_replicas;
mod single;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::applied::AppliedLog;
use crate::data_dir::DataDir;
use crate::id::NodeId;
use crate::journal::Mount;
use crate::mistakes::Mistake;
use crate::peers::Peers;
use crate::request::{Key, Outcome, Write};

/// A future behind a pointer, so that a mode can be one too.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All modes.
pub const ALL: &[Mode] = &[
    cache::MODE,
    gossip::MODE,
    multi_primary::MODE,
    primary_backup::MODE,
    quorum::MODE,
    raft::MODE,
    read_replicas::MODE,
    single::MODE,
];

/// A way to replicate.
pub struct Mode {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it promises, in one sentence.
    pub about: &'static str,
    /// Starts this node of the cluster, reading what an earlier life left in its folder.
    pub start: fn(Setup) -> BoxFuture<'static, Result<Started, String>>,
}

/// What a mode gets to start with.
pub struct Setup {
    /// This node and the others.
    pub peers: Peers,
    /// Where to keep what must survive.
    pub data: DataDir,
    /// How journals are written.
    pub mount: Mount,
    /// The mistake to make, if any.
    pub mistake: Option<Mistake>,
    /// What the modes can be told.
    pub options: Options,
    /// Where to note what this node shows.
    pub applied: AppliedLog,
    /// Where to report that this node must not go on.
    pub alarm: Alarm,
}

/// What the modes can be told; each takes what it has a use for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often a leader or primary is heard of.
    pub heartbeat_ms: u64,
    /// The shortest election timeout; the longest, and a lease, is twice that.
    pub election_ms: u64,
    /// How many log entries to collect before a snapshot replaces them.
    pub snapshot_entries: u64,
    /// How often a gossip node compares notes with one peer, and a primary tries to reach another.
    pub gossip_interval: Duration,
    /// How many replicas each key has; none said, all nodes.
    pub replicas: Option<usize>,
    /// How many replicas a read asks; none said, a majority.
    pub read_quorum: Option<usize>,
    /// How many replicas must have a write; none said, a majority.
    pub write_quorum: Option<usize>,
    /// How often to tell a replica what it has missed.
    pub hint_interval: Duration,
    /// When a write to a primary is done.
    pub replication: Replication,
    /// What standbys do with what they hear.
    pub standby: Standby,
}

/// When a write to a primary with backups is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Replication {
    /// When the primary has it on disk.
    Async,
    /// When a majority has it on disk.
    Sync,
}

/// What standbys do with what they hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Standby {
    /// Apply it at once, to take over quickly.
    Hot,
    /// Only keep it on disk, and apply it when they take over.
    Cold,
}

/// A node that runs.
pub struct Started {
    /// What answers clients.
    pub replica: Arc<dyn Replica>,
    /// What answers peers.
    pub peer_routes: Router,
}

/// One node's replica of the data.
pub trait Replica: Send + Sync {
    /// The value of `key`, `null` if it has none; or why that cannot be said.
    fn read(&self, key: Key, deadline: Instant) -> BoxFuture<'_, Result<Value, String>>;

    /// Changes `key`. When in doubt the outcome is [`Outcome::Unknown`].
    fn write(&self, key: Key, write: Write, deadline: Instant) -> BoxFuture<'_, Outcome>;

    /// Whether this node can serve, from local knowledge; or why not.
    fn ready(&self) -> Result<(), String>;

    /// How this node sees itself, from local knowledge.
    fn status(&self) -> Status;

    /// Lets go of everything in order.
    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// How a node sees itself.
#[derive(Serialize)]
pub struct Status {
    /// `leader`, `follower`, `candidate`, `learner`, or `peer` where all are equal.
    pub role: &'static str,
    /// Whom it takes for the leader, if anyone leads as far as it can tell.
    pub leader: Option<NodeId>,
    /// Of which term.
    pub term: Option<u64>,
    /// How many keys it holds.
    pub keys: usize,
}

impl Status {
    /// The status where all nodes are equal.
    pub fn peer(keys: usize) -> Self {
        Self { role: "peer", leader: None, term: None, keys }
    }
}

/// Reports that this node must stop at once, because it can no longer keep its promises.
#[derive(Clone)]
pub struct Alarm(mpsc::UnboundedSender<String>);

impl Alarm {
    /// An alarm, and where it is heard.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (raise, heard) = mpsc::unbounded_channel();
        (Self(raise), heard)
    }

    /// Stops the node, for a reason.
    pub fn raise(&self, reason: impl Into<String>) {
        // Nobody listens any more once the node is stopping.
        _ = self.0.send(reason.into());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_listed_and_described() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/modes");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"))
            .filter(|name| name != "mod")
            .collect();
        let listed: BTreeSet<String> = ALL.iter().map(|mode| mode.name.to_owned()).collect();
        assert_eq!(files, listed);
        assert!(ALL.iter().all(|mode| mode.about.ends_with('.')));
    }
}
