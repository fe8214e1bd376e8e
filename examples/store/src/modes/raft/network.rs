//! Raft's messages over HTTP, both ends.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use openraft::error::{Fatal, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, OptionalSend};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Node;
use super::canvass::Question;
use super::members::Change;
use super::types::{Image, Snapshot, Types, Vote};
use crate::forward::{Forwarded, hand};
use crate::id::NodeId;
use crate::peers::Peers;
use crate::request::Outcome;

const APPEND: &str = "/raft/append";
const VOTE: &str = "/raft/vote";
const CANVASS: &str = "/raft/canvass";
const SNAPSHOT: &str = "/raft/snapshot";
const CHANGE: &str = "/raft/change";

/// The term in which a cluster of more than one node is initialized.
const INITIAL_TERM: u64 = 1;

/// A snapshot may be large.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Install {
    vote: Vote,
    image: Image,
}

/// The routes for peers.
pub fn routes(node: Arc<Node>) -> Router {
    Router::new()
        .route(APPEND, post(append))
        .route(VOTE, post(vote))
        .route(CANVASS, post(would_vote))
        .route(SNAPSHOT, post(install))
        .route(CHANGE, post(change))
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

/// An answer, or that this node's raft has stopped.
type Answer<T> = Result<Json<T>, StatusCode>;
type NodeState = State<Arc<Node>>;

fn answer<T, E>(result: Result<T, E>) -> Answer<T> {
    result.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn append(
    State(node): NodeState,
    Json(request): Json<AppendEntriesRequest<Types>>,
) -> Answer<AppendEntriesResponse<NodeId>> {
    let response = node.raft.append_entries(request).await;
    if response
        .as_ref()
        .is_ok_and(|response| !matches!(response, AppendEntriesResponse::HigherVote(_)))
    {
        node.heard_of_leader();
    }
    answer(response)
}

async fn vote(
    State(node): NodeState,
    Json(request): Json<VoteRequest<NodeId>>,
) -> Answer<VoteResponse<NodeId>> {
    answer(node.raft.vote(request).await)
}

async fn would_vote(State(node): NodeState, Json(question): Json<Question>) -> Json<bool> {
    Json(node.would_vote(question))
}

async fn install(
    State(node): NodeState,
    Json(Install { vote, image }): Json<Install>,
) -> Answer<SnapshotResponse<NodeId>> {
    let snapshot = Snapshot { meta: image.meta(), snapshot: Box::new(image) };
    answer(node.raft.install_full_snapshot(vote, snapshot).await)
}

async fn change(
    State(node): NodeState,
    Json(Forwarded { request, limit }): Json<Forwarded<Change>>,
) -> Json<Outcome> {
    Json(node.change_as_leader(request, Instant::now() + limit).await)
}

/// Asks a peer whether it would vote for this node.
pub async fn canvass(peers: &Peers, peer: NodeId, question: Question, limit: Duration) -> bool {
    peers.ask(peer, CANVASS, &question, limit).await.unwrap_or(false)
}

/// Asks the leader to change the members, once.
pub async fn forward_change(
    peers: &Peers,
    leader: NodeId,
    change: Change,
    limit: Duration,
) -> Outcome {
    hand(peers, leader, CHANGE, change, limit).await
}

/// Makes links to the other nodes.
pub struct Network {
    /// The other nodes.
    pub peers: Peers,
    /// How long to leave a node alone that cannot be reached.
    pub pause: Duration,
}

/// The way to one node.
pub struct Link {
    peers: Peers,
    target: NodeId,
    pause: Duration,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Link;

    async fn new_client(&mut self, target: NodeId, _: &EmptyNode) -> Link {
        Link { peers: self.peers.clone(), target, pause: self.pause }
    }
}

type Rpc<T> = Result<T, RPCError<NodeId, EmptyNode, RaftError<NodeId>>>;

impl Link {
    async fn ask<Q: Serialize, A: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        question: &Q,
        limit: Duration,
    ) -> Result<A, Unreachable> {
        let answer = self.peers.ask(self.target, path, question, limit).await;
        answer.map_err(|error| Unreachable::new(&error))
    }
}

impl RaftNetwork<Types> for Link {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<NodeId>> {
        Ok(self.ask(APPEND, &request, option.hard_ttl()).await?)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<NodeId>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<NodeId>> {
        // openraft calls an election wherever a cluster is initialized, which is everywhere at once.
        // Nobody wins that one: the first that is called after asking round elects the first leader.
        if request.vote.leader_id.term == INITIAL_TERM {
            return Err(
                Unreachable::new(&io::Error::other("the initial term has no leader")).into()
            );
        }
        Ok(self.ask(VOTE, &request, option.hard_ttl()).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancelled: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal<NodeId>>> {
        let question = Install { vote, image: *snapshot.snapshot };
        tokio::select! {
            answer = self.ask(SNAPSHOT, &question, SNAPSHOT_TIMEOUT) => Ok(answer?),
            closed = cancelled => Err(closed.into()),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(self.pause))
    }
}
