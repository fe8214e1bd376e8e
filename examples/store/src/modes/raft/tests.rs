//! The raft mode in one process: its storage against openraft's own suite, and disks that fail.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use openraft::CommittedLeaderId;
use openraft::storage::{RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine};
use openraft::testing::{StoreBuilder, Suite};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use super::types::{Entry, LogId, StorageError, Types, Vote};
use super::*;
use crate::cli::usual_options as usual;
use crate::id::NodeId;
use crate::journal::Medium;
use crate::journal::{self, Mount};

impl From<u64> for NodeId {
    fn from(number: u64) -> Self {
        // The suite takes node 0 for the default one.
        if number == 0 { Self::default() } else { format!("n{number}").parse().unwrap() }
    }
}

fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, NodeId::from(1)), index)
}

fn blank(term: u64, index: u64) -> Entry {
    Entry { log_id: log_id(term, index), payload: openraft::EntryPayload::Blank }
}

struct Builder;

impl StoreBuilder<Types, Log, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, Log, Machine), StorageError> {
        let folder = tempfile::tempdir().unwrap();
        let (machine, _) =
            Machine::open(&folder.path().join("snapshot.json"), None, AppliedLog::default())
                .unwrap();
        // The suite purges without a snapshot, which the log would wait for.
        let (_, everything) = watch::channel(Some(log_id(u64::MAX, u64::MAX)));
        // The suite votes for n0; a log of n0 would not give such a vote back as it was.
        let log = open_log(folder.path(), 9, everything);
        Ok((folder, log, machine))
    }
}

fn open_log(folder: &Path, me: u64, snapshot: watch::Receiver<Option<LogId>>) -> Log {
    Log::open(&folder.join("raft.log"), journal::plain, None, NodeId::from(me), snapshot).unwrap()
}

#[test]
fn the_storage_passes_the_suite_of_openraft() {
    Suite::test_all(Builder).unwrap();
}

#[tokio::test]
async fn the_log_comes_back_as_it_was_and_a_leader_as_one_that_must_be_elected() {
    let folder = tempfile::tempdir().unwrap();
    let (_, snapshot) = watch::channel(Some(log_id(1, 2)));
    let mut log = open_log(folder.path(), 1, snapshot.clone());
    openraft::storage::RaftLogStorageExt::blocking_append(
        &mut log,
        (1..=6).map(|index| blank(1, index)),
    )
    .await
    .unwrap();
    log.truncate(log_id(1, 6)).await.unwrap();
    log.purge(log_id(1, 2)).await.unwrap();
    log.save_vote(&Vote::new_committed(3, NodeId::from(1))).await.unwrap();
    drop(log);

    let mut log = open_log(folder.path(), 1, snapshot.clone());
    let state = log.get_log_state().await.unwrap();
    assert_eq!(
        (state.last_purged_log_id, state.last_log_id),
        (Some(log_id(1, 2)), Some(log_id(1, 5)))
    );
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new(3, NodeId::from(1))));
    drop(log);
    // Whom another node follows it may go on to follow.
    let mut log = open_log(folder.path(), 2, snapshot);
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new_committed(3, NodeId::from(1))));
}

#[tokio::test]
async fn a_purge_waits_until_the_snapshot_that_replaces_it_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let (mut machine, snapshot) = Machine::open(&path, None, AppliedLog::default()).unwrap();
    let mut log = open_log(folder.path(), 1, snapshot);
    let entries: Vec<_> = (1..=3).map(|index| blank(1, index)).collect();
    machine.apply(entries).await.unwrap();

    let mut purge = tokio::spawn(async move { log.purge(log_id(1, 3)).await });
    let early = tokio::time::timeout(Duration::from_millis(100), &mut purge).await;
    assert!(early.is_err(), "purged with no snapshot on disk");
    machine.build_snapshot().await.unwrap();
    purge.await.unwrap().unwrap();

    let (mut machine, _) = Machine::open(&path, None, AppliedLog::default()).unwrap();
    assert_eq!(machine.applied_state().await.unwrap().0, Some(log_id(1, 3)));
}

/// A cluster of one on `mount`, that leads.
async fn alone(folder: &Path, mount: Mount) -> (Arc<Node>, mpsc::UnboundedReceiver<String>) {
    let me = NodeId::from(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let (alarm, alarms) = Alarm::new();
    let options = Options { heartbeat_ms: 20, election_ms: 50, snapshot_entries: 1000, ..usual() };
    let setup = Setup {
        peers: Peers::new(me, BTreeMap::from([(me, address)])),
        data: DataDir::open(folder, me, "raft").unwrap(),
        mount,
        mistake: None,
        options,
        applied: AppliedLog::default(),
        alarm,
    };
    let node = Node::start(setup).await.unwrap();
    while node.ready().is_err() {
        sleep(Duration::from_millis(5)).await;
    }
    (node, alarms)
}

async fn put(node: &Node, value: Value) -> Outcome {
    let deadline = Instant::now() + Duration::from_millis(500);
    node.write(Key::new("k".into()).unwrap(), Write::Put { value }, deadline).await
}

async fn get(node: &Node) -> Result<Value, String> {
    let deadline = Instant::now() + Duration::from_millis(500);
    node.read(Key::new("k".into()).unwrap(), deadline).await
}

/// While true, no fsync succeeds. Of the next test only.
static BROKEN: AtomicBool = AtomicBool::new(false);

struct Flaky(File);

impl Medium for Flaky {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match BROKEN.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is gone")),
            false => self.0.sync(),
        }
    }
}

#[tokio::test]
async fn a_failed_fsync_ends_in_no_acknowledgement_now_or_later() {
    let folder = tempfile::tempdir().unwrap();
    let (node, mut alarms) = alone(folder.path(), |file| Box::new(Flaky(file))).await;
    assert_eq!(put(&node, json!("kept")).await, Outcome::Ok);
    assert_eq!(get(&node).await, Ok(json!("kept")));

    BROKEN.store(true, Ordering::SeqCst);
    let lost = put(&node, json!("lost")).await;
    assert!(matches!(lost, Outcome::Unknown { .. }), "{lost:?}");
    let reason = alarms.recv().await.unwrap();
    assert!(reason.contains("the disk is gone"), "{reason}");

    // The disk works again, but what is on it nobody knows.
    BROKEN.store(false, Ordering::SeqCst);
    let later = put(&node, json!("later")).await;
    assert!(!matches!(later, Outcome::Ok | Outcome::Mismatch { .. }), "{later:?}");
    assert!(get(&node).await.is_err());
}

#[tokio::test]
async fn a_node_alone_keeps_values_over_a_restart_and_compares_them() {
    let folder = tempfile::tempdir().unwrap();
    let (node, _alarms) = alone(folder.path(), journal::plain).await;
    assert_eq!(put(&node, json!({"a": [1.1, null]})).await, Outcome::Ok);
    node.stop().await;
    drop(node);
    // The folder is free once the last task has let go of it.
    while DataDir::open(folder.path(), NodeId::from(1), "raft").is_err() {
        sleep(Duration::from_millis(5)).await;
    }

    let (node, _alarms) = alone(folder.path(), journal::plain).await;
    assert_eq!(get(&node).await, Ok(json!({"a": [1.1, null]})));
    let cas = |old: Value, new: Value| {
        let deadline = Instant::now() + Duration::from_millis(500);
        node.write(Key::new("k".into()).unwrap(), Write::Cas { old, new }, deadline)
    };
    let mismatch = Outcome::Mismatch { value: json!({"a": [1.1, null]}) };
    assert_eq!(cas(json!(null), json!(2)).await, mismatch);
    assert_eq!(cas(json!({"a": [1.1, null]}), json!(2)).await, Outcome::Ok);
    assert_eq!(get(&node).await, Ok(json!(2)));
}
