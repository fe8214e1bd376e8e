//! What harness and guard say to each other: one JSON object a line, a question and its answer.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use splitbrain_nemesis::clock::Deviation;
use splitbrain_nemesis::node::Signal;

use crate::environments::Daemon;

/// What a line of the bootstrap, and of the agent before it is asked anything, begins with: login
/// shells may say other things before it.
pub(super) const WORD: &str = "splitbrain";

/// A question. It is asked again, with the same number, when the connection broke before the
/// answer came; what it asks for is done once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) ask: Ask,
}

/// The answer to the question of the same number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) id: u64,
    pub(super) answer: Result<Value, String>,
}

/// What the guard can be asked for, with what it answers. Any question renews the lease.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// Nothing more than to renew the lease.
    Renew,
    /// To take up its post.
    Install(Box<Post>),
    /// To run this from when it starts next.
    Replace(Box<Daemon>),
    /// To start the program.
    Start,
    /// To signal all its processes.
    Signal(Signal),
    /// A [`ProcessState`](splitbrain_nemesis::node::ProcessState) for each of its processes.
    States,
    /// An [`Ended`].
    Ended,
    /// To drop what comes from these, by index, and nothing else.
    Block(Vec<usize>),
    /// `[sender, packets]` of each rule.
    Rules,
    /// To send probes to these nodes.
    Probe { nonce: u64, to: Vec<usize> },
    /// The senders of probes that have come.
    Arrived { nonce: u64, wait_ms: u64 },
    /// To make a clock that can be made wrong, for the program that is installed.
    AttachClock,
    /// To have it deviate from now on; the [`Deviation`] as the program was told it.
    SetClock(Deviation),
    /// The [`Deviation`] that the program is told.
    Clock,
    /// A [`Reading`](splitbrain_nemesis::clock::Reading) for each look at the clock.
    Readings { during_ms: u64 },
    /// The numbers of the program's processes that ask another clock.
    Unreached,
    /// A [`Piece`] of a file.
    Read { path: PathBuf, offset: u64 },
    /// To undo everything and, once nothing is left, to end; what is left.
    Heal,
}

/// What a guard has to know of its node.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Post {
    /// Index of the node.
    pub(super) this: usize,
    /// Its name.
    pub(super) name: String,
    /// Addresses of all nodes and, after them, of the clients as this node sees them.
    pub(super) addresses: Vec<IpAddr>,
    /// What it runs.
    pub(super) daemon: Daemon,
}

/// The state of the node's program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    /// How it ended, if it did by itself.
    pub(super) how: Option<String>,
    /// Whether there is somebody to clean up behind the guard.
    pub(super) guarded: bool,
}

/// A part of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    /// In base64; empty at the end of the file, or if there is none.
    pub(super) bytes: String,
}
