//! Who belongs to the cluster, and changing it (Ongaro, "Consensus", chapter 4; openraft goes by joint
//! consensus). `--peers` names all who may belong; at first all of them do.
//!
//! A node that has left serves nobody. It need not hear that it has: without word from a leader it
//! refuses all the same once the lease is over.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use openraft::{ChangeMembers, EmptyNode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use tracing::info;

use super::Node;
use super::network::forward_change;
use crate::data_dir::write_whole;
use crate::forward::Server;
use crate::id::NodeId;
use crate::peers::Peers;
use crate::request::Outcome;

/// How long a change may take: who joins has to catch up first.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(3);

/// Who is to leave or to join.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Is to be no member any more.
    Leave(NodeId),
    /// Is to be a member again.
    Join(NodeId),
}

/// The routes for whoever administers the cluster.
pub fn routes(node: Arc<Node>) -> Router {
    Router::new()
        .route("/members", get(members))
        .route("/members/leave", post(leave))
        .route("/members/join", post(join))
        .with_state(node)
}

/// What leaves or joins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    node: NodeId,
}

async fn members(State(node): State<Arc<Node>>) -> Response {
    Json(json!({ "members": node.members() })).into_response()
}

async fn leave(State(node): State<Arc<Node>>, body: Bytes) -> Result<Outcome, Outcome> {
    Ok(node.change(Change::Leave(who(&body)?)).await)
}

async fn join(State(node): State<Arc<Node>>, body: Bytes) -> Result<Outcome, Outcome> {
    Ok(node.change(Change::Join(who(&body)?)).await)
}

fn who(body: &Bytes) -> Result<NodeId, Outcome> {
    let parsed = serde_json::from_slice(body).map(|Who { node }| node);
    parsed
        .map_err(|error| Outcome::Invalid { error: format!("the body is not understood: {error}") })
}

/// Notes in a file who may belong, before the log has a first entry.
pub fn note_cluster(file: &Path, peers: &Peers) -> Result<(), String> {
    let all: Vec<NodeId> = peers.all().collect();
    let bytes = serde_json::to_vec(&all).expect("names are plain data");
    write_whole(file, &bytes).map_err(|error| format!("{}: {error}", file.display()))
}

/// Checks that a log that is there already is of a cluster of the same nodes, whoever of them are
/// members now.
pub fn check_cluster(file: &Path, peers: &Peers) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| said(&error))?;
    let stored: Vec<NodeId> = serde_json::from_slice(&bytes).map_err(|error| said(&error))?;
    let asked: Vec<NodeId> = peers.all().collect();
    if stored != asked {
        return Err(format!("the log belongs to a cluster of {stored:?}, not {asked:?}"));
    }
    Ok(())
}

impl Node {
    /// The members, as far as this node knows; while they change, those after the change.
    pub(super) fn members(&self) -> BTreeSet<NodeId> {
        self.configs().pop().unwrap_or_default()
    }

    /// The sets of members of which each must have a majority for anything to be decided: one, or
    /// while they change the old one and the new one.
    pub(super) fn configs(&self) -> Vec<BTreeSet<NodeId>> {
        let metrics = self.raft.metrics();
        metrics.borrow().membership_config.membership().get_joint_config().clone()
    }

    async fn change(&self, change: Change) -> Outcome {
        match self.leader() {
            Ok(Server::Me) => self.change_as_leader(change, Instant::now() + CHANGE_TIMEOUT).await,
            Ok(Server::Other(leader)) => {
                forward_change(&self.peers, leader, change, CHANGE_TIMEOUT).await
            }
            Err(error) => Outcome::refused(error),
        }
    }

    /// Changes the members, if this node leads. What is so already is not changed again, so a
    /// change whose end nobody heard of can be asked for once more.
    pub(super) async fn change_as_leader(&self, change: Change, deadline: Instant) -> Outcome {
        match self.leader() {
            Ok(Server::Me) => {}
            Ok(Server::Other(_)) => return Outcome::refused("this node does not lead"),
            Err(error) => return Outcome::refused(error),
        }
        let configs = self.configs();
        let members = self.members();
        match change {
            Change::Leave(id) if !members.contains(&id) && configs.len() == 1 => {
                return Outcome::Ok;
            }
            Change::Join(id) if members.contains(&id) && configs.len() == 1 => return Outcome::Ok,
            Change::Leave(id) if members.iter().eq([&id]) => {
                return Outcome::refused("the last member cannot leave");
            }
            Change::Join(id) if !self.peers.all().any(|peer| peer == id) => {
                return Outcome::Invalid { error: format!("--peers names no node {id}") };
            }
            _ => info!(?change, "members change"),
        }
        match timeout_at(deadline, self.propose(change)).await {
            Ok(Ok(())) => Outcome::Ok,
            Ok(Err(error)) => Outcome::unknown(error),
            Err(_) => Outcome::unknown("the change was not committed in time"),
        }
    }

    async fn propose(&self, change: Change) -> Result<(), String> {
        let changed = match change {
            Change::Leave(id) => {
                let leaving = ChangeMembers::RemoveVoters(BTreeSet::from([id]));
                self.raft.change_membership(leaving, false).await
            }
            Change::Join(id) => {
                // First it only listens: as a voter without a log it would hold up every decision.
                let listening = self.raft.add_learner(id, EmptyNode {}, true).await;
                listening.map_err(|error| error.to_string())?;
                let joining = ChangeMembers::AddVoterIds(BTreeSet::from([id]));
                self.raft.change_membership(joining, false).await
            }
        };
        changed.map(|_| ()).map_err(|error| error.to_string())
    }
}
