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
    /// One order explains every answer and keeps the order of each session (Lamport 1979). A
    /// compare-and-set is one step of it.
    Sequential,
    /// Causal memory (Ahamad, Neiger, Burns, Kohli and Hutto 1995): for each session there is an order of
    /// its reads and all writes that explains the reads and keeps the causal order, the smallest order
    /// that holds the sessions' orders and each write before what read it.
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
    /// After the writes had stopped and all faults were healed, all nodes gave the same answers (Vogels
    /// 2009). An axis of its own: a replica that stands still may be sequential.
    Converged,
}

impl Rung {
    /// The name, as in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Linearizable => "linearizable",
            Rung::Sequential => "sequential",
            Rung::Causal => "causal",
            Rung::CausalConvergence => "causal-convergence",
            Rung::WeakCausal => "weak-causal",
            Rung::Pram => "pram",
            Rung::WritesFollowReads => "writes-follow-reads",
            Rung::MonotonicWrites => "monotonic-writes",
            Rung::MonotonicReads => "monotonic-reads",
            Rung::ReadYourWrites => "read-your-writes",
            Rung::Converged => "converged",
        }
    }
}
