//! The names of the rungs.

use serde::Serialize;

/// A consistency model (Viotti and Vukolic 2016). The documentation of each is the definition that is
/// checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// One order explains every answer, each operation at some moment between its invocation and its
    /// completion (Herlihy and Wing 1990).
    Linearizable,
    /// One order of all transactions explains every answer, and what had ended comes before what begins
    /// then (Papadimitriou 1979; Herlihy and Wing 1990).
    StrictSerializable,
    /// One order of all transactions explains every answer and keeps the order of each session
    /// (Daudjee and Salem 2004).
    StrongSessionSerializable,
    /// One order of all transactions explains every answer (PL-3, Adya 1999).
    Serializable,
    /// Snapshot isolation, and whoever begins sees all that had ended.
    StrongSnapshotIsolation,
    /// Snapshot isolation, and each session sees what it did (Daudjee and Salem 2006).
    StrongSessionSnapshotIsolation,
    /// Each transaction reads from a snapshot of what was committed, and of two that write the same key
    /// one sees the other (Berenson et al. 1995; Cerone, Bernardi and Gotsman 2015).
    SnapshotIsolation,
    /// The same, but snapshots need not be of one order of commits: only each session's order and what was
    /// seen is kept (Sovran, Power, Aguilera and Li 2011; Cerone et al. 2015).
    ParallelSnapshotIsolation,
    /// No cycle of dependencies on single objects (PL-2.99, Adya 1999).
    RepeatableRead,
    /// The transactions that write are serializable, together with any one that does not (PL-3U, Adya 1999).
    UpdateSerializable,
    /// One order explains every answer and keeps the order of each session (Lamport 1979). A
    /// compare-and-set is one step of it.
    Sequential,
    /// Causal memory (Ahamad, Neiger, Burns, Kohli and Hutto 1995): for each session there is an order of
    /// its reads and all writes that explains the reads and keeps the causal order, the smallest order
    /// that holds the sessions' orders and each write before what read it. Of transactions that of Biswas and
    /// Enea (2019): one order of all, and each reads the last version among those causally before it.
    Causal,
    /// There is one order of all operations that keeps the causal order, and each read returns the last
    /// write of its key among those causally before it (Bouajjani, Enea, Guerraoui and Hamza 2017; Lloyd et
    /// al. 2011 call it causal+).
    CausalConvergence,
    /// Each read returns a write of its key that is the last in some order of what is causally before it
    /// (Bouajjani et al. 2017).
    WeakCausal,
    /// For each session there is an order of its reads and all writes that explains the reads and keeps
    /// the orders of all sessions (Lipton and Sandberg 1988).
    Pram,
    /// For each session there is an order of its reads and all writes that explains the reads and keeps,
    /// in every session, the writer of what was read before what was written later, each session's writes of
    /// one key in order, and the session's reads in order (Terry et al. 1994).
    WritesFollowReads,
    /// For each session there is an order of its reads and all writes that explains the reads and keeps
    /// the writes of every session and the session's reads in order (Terry et al. 1994).
    MonotonicWrites,
    /// For each session there is an order of its reads and all writes that explains the reads and keeps
    /// the session's reads and each session's writes of one key in order (Terry et al. 1994).
    MonotonicReads,
    /// For each session there is an order of its reads and all writes that explains the reads and keeps
    /// the session's writes before its later reads of the key, and each session's writes of one key in
    /// order (Terry et al. 1994).
    ReadYourWrites,
    /// One order of all transactions that keeps each session's, and each transaction reads the last version
    /// among those of its session and of what it reads from anything of (Biswas and Enea 2019).
    ReadAtomic,
    /// The same where only what it read from *before* counts, and not its session (Bailis et al. 2013; what
    /// Biswas and Enea call read committed).
    MonotonicAtomicView,
    /// Nobody reads what did not happen, what was replaced at once, or in a circle (PL-2, Adya 1999).
    ReadCommitted,
    /// The versions of all keys are in one order (PL-1, Adya 1999).
    ReadUncommitted,
    /// After the writes had stopped and all faults were healed, all nodes gave the same answers (Vogels
    /// 2009). An axis of its own: a replica that stands still may be sequential.
    Converged,
}

impl Rung {
    /// The name, as in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Linearizable => "linearizable",
            Rung::StrictSerializable => "strict-serializable",
            Rung::StrongSessionSerializable => "strong-session-serializable",
            Rung::Serializable => "serializable",
            Rung::StrongSnapshotIsolation => "strong-snapshot-isolation",
            Rung::StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            Rung::SnapshotIsolation => "snapshot-isolation",
            Rung::ParallelSnapshotIsolation => "parallel-snapshot-isolation",
            Rung::RepeatableRead => "repeatable-read",
            Rung::UpdateSerializable => "update-serializable",
            Rung::Sequential => "sequential",
            Rung::Causal => "causal",
            Rung::CausalConvergence => "causal-convergence",
            Rung::WeakCausal => "weak-causal",
            Rung::Pram => "pram",
            Rung::WritesFollowReads => "writes-follow-reads",
            Rung::MonotonicWrites => "monotonic-writes",
            Rung::MonotonicReads => "monotonic-reads",
            Rung::ReadYourWrites => "read-your-writes",
            Rung::ReadAtomic => "read-atomic",
            Rung::MonotonicAtomicView => "monotonic-atomic-view",
            Rung::ReadCommitted => "read-committed",
            Rung::ReadUncommitted => "read-uncommitted",
            Rung::Converged => "converged",
        }
    }
}
