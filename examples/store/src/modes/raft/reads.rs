//! Linearizable reads by read index (Ongaro, "Consensus", section 6.4).
//!
//! A leader may answer a read once a majority has confirmed, after the read arrived, that it still
//! leads, and its state has reached what was committed when the read arrived. One confirmation
//! serves all reads that arrived before it began.

use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::sync::{mpsc, oneshot};

use super::types::Raft;

type Reply = oneshot::Sender<Result<(), NotConfirmed>>;

/// Why a read cannot be answered here and now.
#[derive(Clone, Debug)]
pub enum NotConfirmed {
    /// Another node leads, or none does.
    NotLeader,
    /// No majority answered in time. It may the next time.
    NoMajority,
    /// Raft has stopped.
    Stopped,
}

/// Asks for confirmations.
pub struct Reads(mpsc::UnboundedSender<Reply>);

impl Reads {
    /// Starts to confirm reads of `raft`.
    pub fn new(raft: Raft) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        tokio::spawn(confirm(raft, asked));
        Self(ask)
    }

    /// Returns once the local state is at least what it was committed to be at the call.
    pub async fn confirmed(&self) -> Result<(), NotConfirmed> {
        let (reply, replied) = oneshot::channel();
        self.0.send(reply).map_err(|_| NotConfirmed::Stopped)?;
        replied.await.unwrap_or(Err(NotConfirmed::Stopped))
    }
}

async fn confirm(raft: Raft, mut asked: mpsc::UnboundedReceiver<Reply>) {
    let mut waiting = Vec::new();
    // Those who ask from here on wait for the next round: this one may have begun before them.
    while asked.recv_many(&mut waiting, usize::MAX).await > 0 {
        let result = match raft.ensure_linearizable().await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(_))) => {
                Err(NotConfirmed::NotLeader)
            }
            Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))) => {
                Err(NotConfirmed::NoMajority)
            }
            Err(RaftError::Fatal(_)) => Err(NotConfirmed::Stopped),
        };
        for reply in waiting.drain(..) {
            // Who has given up meanwhile needs no reply.
            _ = reply.send(result.clone());
        }
    }
}
