//! Asking round before an election (pre-vote; Ongaro, "Consensus", section 9.6).
//!
//! A node that is cut off cannot win an election, but each attempt raises its term, and when it comes
//! back its term deposes the leader that served well meanwhile. So a node calls an election only when
//! a majority says that it would vote for it: they too miss a leader, and have no more log than it.
//! openraft's own timer does neither this nor draw a new timeout for each attempt, so it is off.

use std::sync::{Arc, Weak};
use std::time::Duration;

use openraft::ServerState;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Node;
use super::network;
use super::types::LogId;

/// Calls elections for as long as the node lives.
pub async fn run(node: Weak<Node>, election: Duration, heartbeat: Duration) {
    // Whoever followed a leader before a restart grants no vote before that leader's lease is over.
    sleep(2 * election).await;
    loop {
        sleep(heartbeat).await;
        let Some(node) = node.upgrade() else { return };
        if !node.misses_leader() {
            continue;
        }
        // The nodes miss the leader at the same moment; the first to ask should win undisturbed.
        sleep(rand::random_range(Duration::ZERO..election)).await;
        if node.misses_leader() && majority_agrees(&node, 2 * heartbeat).await {
            // It fails only if raft has stopped, which ends the process.
            _ = node.raft.trigger().elect().await;
            sleep(election).await;
        }
    }
}

async fn majority_agrees(node: &Arc<Node>, limit: Duration) -> bool {
    let last_log = node.last_log();
    let mut answers = JoinSet::new();
    for peer in node.peers.others() {
        let peers = node.peers.clone();
        answers.spawn(async move { network::canvass(&peers, peer, last_log, limit).await });
    }
    let voters = answers.len() + 1;
    let mut votes = 1;
    while 2 * votes <= voters {
        match answers.join_next().await {
            Some(answer) => votes += usize::from(answer.unwrap_or(false)),
            None => return false,
        }
    }
    true
}

impl Node {
    /// Whether this node would vote for one with a log up to `theirs`.
    pub(super) fn would_vote(&self, theirs: Option<LogId>) -> bool {
        self.leader().is_err() && theirs >= self.last_log()
    }

    fn misses_leader(&self) -> bool {
        self.raft.metrics().borrow().state != ServerState::Leader && self.leader().is_err()
    }

    fn last_log(&self) -> Option<LogId> {
        self.raft.data_metrics().borrow().last_log
    }
}
