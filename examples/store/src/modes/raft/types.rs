//! What openraft is told about our types.

use openraft::EmptyNode;
use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::request::{Command, Outcome, Values};

openraft::declare_raft_types!(
    /// openraft with our types.
    pub Types:
        D = Command,
        R = Outcome,
        NodeId = NodeId,
        Node = EmptyNode,
        Entry = openraft::Entry<Types>,
        SnapshotData = Image,
);

pub type Entry = openraft::Entry<Types>;
pub type LogId = openraft::LogId<NodeId>;
pub type Membership = openraft::StoredMembership<NodeId, EmptyNode>;
pub type Raft = openraft::Raft<Types>;
pub type Snapshot = openraft::Snapshot<Types>;
pub type SnapshotMeta = openraft::SnapshotMeta<NodeId, EmptyNode>;
pub type StorageError = openraft::StorageError<NodeId>;
pub type StorageIOError = openraft::StorageIOError<NodeId>;
pub type Vote = openraft::Vote<NodeId>;

/// The state after some prefix of the log.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Where that prefix ends.
    pub last_applied: Option<LogId>,
    /// The last membership in it.
    pub membership: Membership,
    /// The values that it left.
    pub values: Values,
}

impl Image {
    /// What openraft wants to know of a snapshot.
    pub fn meta(&self) -> SnapshotMeta {
        let snapshot_id = self.last_applied.map(|id| id.to_string()).unwrap_or_default();
        let last_membership = self.membership.clone();
        SnapshotMeta { last_log_id: self.last_applied, last_membership, snapshot_id }
    }
}
