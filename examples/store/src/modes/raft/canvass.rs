//! Asking round before an election (pre-vote; Ongaro, "Consensus", section 9.6).
//!
//! A node that is cut off cannot win an election, but each attempt raises its term, and when it comes
//! back its term deposes the leader that served well meanwhile. So a node calls an election only when
//! a majority says that it would vote for it: they too miss a leader, have no more log than it, and
//! have said so to nobody else just now. openraft's own timer does none of this, so it is off.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use openraft::ServerState;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Node;
use super::network;
use super::types::LogId;
use crate::id::NodeId;

/// What a node asks before it calls an election.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Question {
    /// Who asks.
    pub candidate: NodeId,
    /// Where its log ends.
    pub last_log: Option<LogId>,
}

/// What a node promised to another that asked round.
pub struct Promise {
    to: NodeId,
    until: Instant,
}

impl Promise {
    /// For a node that comes back: the leader whom it followed has its lease still.
    pub fn to_nobody(lease: Duration) -> Self {
        Self { to: NodeId::default(), until: Instant::now() + lease }
    }
}

/// Calls elections for as long as the node lives.
pub async fn run(node: Weak<Node>, election: Duration, heartbeat: Duration) {
    loop {
        sleep(heartbeat / 2).await;
        let Some(node) = node.upgrade() else { return };
        if !node.misses_leader() {
            continue;
        }
        // All miss the leader at the same moment, and only one should ask.
        sleep(rand::random_range(Duration::ZERO..election)).await;
        if node.misses_leader() && majority_agrees(&node, 2 * heartbeat).await {
            // It fails only if raft has stopped, which ends the process.
            _ = node.raft.trigger().elect().await;
            sleep(election).await;
        }
    }
}

async fn majority_agrees(node: &Arc<Node>, limit: Duration) -> bool {
    let question = Question { candidate: node.peers.me(), last_log: node.last_log() };
    let me = node.peers.me();
    let mut votes: BTreeSet<NodeId> = node.would_vote(question).then_some(me).into_iter().collect();
    let mut answers = JoinSet::new();
    for peer in node.peers.others() {
        let peers = node.peers.clone();
        answers.spawn(async move {
            network::canvass(&peers, peer, question, limit).await.then_some(peer)
        });
    }
    // Of each set of members, while they change; who has left is asked, but does not count.
    let configs = node.configs();
    let agree = |votes: &BTreeSet<NodeId>| {
        configs.iter().all(|config| 2 * config.intersection(votes).count() > config.len())
    };
    while !agree(&votes) {
        match answers.join_next().await {
            Some(answer) => votes.extend(answer.ok().flatten()),
            None => return false,
        }
    }
    true
}

impl Node {
    /// Whether this node would vote for the one who asks. It then promises not to tell another the
    /// same before the first has had its election.
    pub(super) fn would_vote(&self, Question { candidate, last_log }: Question) -> bool {
        if self.leader().is_ok() || last_log < self.last_log() {
            return false;
        }
        let now = Instant::now();
        let mut promise = self.promise.lock().unwrap();
        if promise.as_ref().is_some_and(|last| last.to != candidate && now < last.until) {
            return false;
        }
        *promise = Some(Promise { to: candidate, until: now + self.lease / 4 });
        true
    }

    fn misses_leader(&self) -> bool {
        let belongs = self.members().contains(&self.peers.me());
        belongs
            && self.raft.metrics().borrow().state != ServerState::Leader
            && self.leader().is_err()
    }

    fn last_log(&self) -> Option<LogId> {
        self.raft.data_metrics().borrow().last_log
    }
}
