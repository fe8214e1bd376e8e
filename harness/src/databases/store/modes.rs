//! The modes of the bundled store: what each can be told, and what it promises.

use crate::databases::{Opt, Told};

/// One mode of the bundled store.
pub struct Mode {
    /// Name, as after `--mode`.
    pub name: &'static str,
    /// What it is and promises, in one sentence.
    pub about: &'static str,
    /// What it promises if it is not told otherwise.
    promises: Promises,
    /// What it can be told; the store's flag is the name with `--` before it.
    pub options: &'static [Opt],
    /// Whether its compare-and-set is atomic.
    pub(super) cas: bool,
    /// Whether nodes can leave and join.
    pub(super) members: bool,
}

/// Something that a mode can promise. What a run shows of it is a rung of the ladder, or beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rung {
    /// A read returns something that was written.
    NotCorrupt,
    /// No acknowledged write is lost.
    NothingLost,
    /// All nodes agree in the end.
    Converged,
    /// Whoever asks one node only never goes back in time.
    MonotonicReads,
    /// One order explains everything.
    Linearizable,
    /// The same for transactions on several keys.
    StrictSerializable,
    /// The workload's own check finds nothing.
    OwnCheck,
}

impl Rung {
    /// What it is called where a row of the report card names it.
    pub fn name(self) -> &'static str {
        match self {
            Rung::NotCorrupt => "not-corrupt",
            Rung::NothingLost => "nothing-lost",
            Rung::Converged => "converged",
            Rung::MonotonicReads => "monotonic-reads",
            Rung::Linearizable => "linearizable",
            Rung::StrictSerializable => "strict-serializable",
            Rung::OwnCheck => "own-check",
        }
    }
}

/// What is promised, the weakest first.
pub type Promises = &'static [Rung];

const NOT_CORRUPT: Promises = &[Rung::NotCorrupt];
const EVENTUAL: Promises = &[Rung::NotCorrupt, Rung::NothingLost, Rung::Converged];
/// For clients that stay at their node.
const EVENTUAL_PINNED: Promises =
    &[Rung::NotCorrupt, Rung::NothingLost, Rung::Converged, Rung::MonotonicReads];
const LINEARIZABLE: Promises = &[
    Rung::NotCorrupt,
    Rung::NothingLost,
    Rung::OwnCheck,
    Rung::StrictSerializable,
    Rung::Linearizable,
];

impl Mode {
    /// What it promises when it is told so much.
    pub(super) fn promises(&self, told: &Told) -> Promises {
        match told.said("replication") {
            Some("sync") => LINEARIZABLE,
            // With R + W above N it is more, but that depends on the number of nodes.
            _ if told.said("read-quorum").or(told.said("write-quorum")).is_some() => NOT_CORRUPT,
            _ => self.promises,
        }
    }
}

/// When a log is replaced by its values.
const SNAPSHOT_ENTRIES: Opt = Opt {
    name: "snapshot-entries",
    usual: "5000",
    words: &[],
    about: "log entries after which a snapshot replaces them",
};

/// How often nodes that were out of reach are tried.
const GOSSIP_INTERVAL: Opt = Opt {
    name: "gossip-interval-ms",
    usual: "100",
    words: &[],
    about: "how often a node compares notes with another, or tries one that it could not reach",
};

/// Where a node notes what it shows and since when; the file stays in the run's folder.
const APPLIED_LOG: Opt = Opt {
    name: "applied-log",
    usual: "none",
    words: &["applied.jsonl"],
    about: "a file for every change of what the node shows, with its time",
};

/// Every mode, in the order in which they are shown.
pub const MODES: &[Mode] = &[
    Mode {
        name: "raft",
        about: "Raft with a durable log and reads through a read index: promises to be linearizable, and is CP.",
        promises: LINEARIZABLE,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: true,
    },
    Mode {
        name: "single",
        about: "One node serves and the others hand requests to it: promises to be linearizable, and is CA.",
        promises: LINEARIZABLE,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: false,
    },
    Mode {
        name: "primary-backup",
        about: "One node serves and another takes its place: promises not to be corrupt, and if synchronous to be linearizable.",
        promises: NOT_CORRUPT,
        options: &[
            SNAPSHOT_ENTRIES,
            APPLIED_LOG,
            Opt {
                name: "replication",
                usual: "async",
                words: &["async", "sync"],
                about: "a write is done when the primary has it, or when a majority has it",
            },
            Opt {
                name: "standby",
                usual: "hot",
                words: &["hot", "cold"],
                about: "standbys apply what they hear at once, or when they take over",
            },
        ],
        cas: true,
        members: false,
    },
    Mode {
        name: "read-replicas",
        about: "One node takes writes and all answer reads from copies that follow: promises to be eventually consistent.",
        promises: EVENTUAL_PINNED,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: false,
    },
    Mode {
        name: "quorum",
        about: "Every node accepts, R or W of N replicas must answer: promises not to be corrupt, and if R + W > N, as usual, to be linearizable, and is CP.",
        promises: LINEARIZABLE,
        options: &[
            APPLIED_LOG,
            Opt {
                name: "replicas",
                usual: "all nodes",
                words: &[],
                about: "N, replicas of each key",
            },
            Opt {
                name: "read-quorum",
                usual: "majority",
                words: &[],
                about: "R, replicas that a read asks",
            },
            Opt {
                name: "write-quorum",
                usual: "majority",
                words: &[],
                about: "W, replicas that must have a write",
            },
            Opt {
                name: "hint-interval-ms",
                usual: "500",
                words: &[],
                about: "how often a replica is told what it has missed",
            },
        ],
        cas: false,
        members: false,
    },
    Mode {
        name: "multi-primary",
        about: "Every node accepts and sends its own writes to the others, last writer wins: promises to be eventually consistent, and is AP.",
        promises: EVENTUAL,
        options: &[GOSSIP_INTERVAL, APPLIED_LOG],
        cas: false,
        members: false,
    },
    Mode {
        name: "gossip",
        about: "Every node accepts, anti-entropy, last writer wins: promises to be eventually consistent, and is AP.",
        promises: EVENTUAL,
        options: &[GOSSIP_INTERVAL, APPLIED_LOG],
        cas: false,
        members: false,
    },
    Mode {
        name: "cache",
        about: "Best-effort broadcast without repair or durability: promises only not to be corrupt, and is AP.",
        promises: NOT_CORRUPT,
        options: &[],
        cas: false,
        members: false,
    },
];
