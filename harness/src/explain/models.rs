//! The consistency models of the ladder, the weakest words that people use for each.

use super::also_called;

/// One of them.
pub struct Model {
    /// Its name, as after `--expect`.
    pub name: &'static str,
    /// Other names for it.
    pub also: &'static [&'static str],
    /// What it promises.
    pub about: &'static str,
    /// The models that it is at once stronger than.
    pub implies: &'static [&'static str],
    /// Whose it is.
    pub literature: &'static str,
}

impl Model {
    /// All of it for a person.
    pub fn text(&self) -> String {
        let implies = match self.implies {
            [] => String::new(),
            models => format!("It implies {}.\n", models.join(", ")),
        };
        let (name, about) = (self.name, self.about);
        format!(
            "{name}{}\n\n{about}\n\n{implies}Literature: {}\n",
            also_called(self.also),
            self.literature
        )
    }
}

/// All of them, the strongest first.
pub const MODELS: &[Model] = &[
    Model {
        name: "linearizable",
        also: &["strong", "atomic", "external consistency of single objects"],
        about: "One order explains every answer, each operation at some moment between its begin and its end. \
                What was acknowledged is seen by all that begins after it.",
        implies: &["sequential"],
        literature: "Herlihy and Wing, Linearizability: a correctness condition for concurrent objects (1990).",
    },
    Model {
        name: "sequential",
        also: &["SC"],
        about: "One order explains every answer and keeps the order of each session. When something happened does \
                not matter: all may see the past, but the same past.",
        implies: &["causal", "causal-convergence"],
        literature: "Lamport, How to make a multiprocessor computer that correctly executes multiprocess programs (1979).",
    },
    Model {
        name: "causal",
        also: &["causal memory"],
        about: "Each session sees all writes in some order that keeps what depends on what; sessions need not agree \
                on the order of writes that are independent.",
        implies: &["pram", "writes-follow-reads", "weak-causal"],
        literature: "Ahamad, Neiger, Burns, Kohli and Hutto, Causal memory (1995).",
    },
    Model {
        name: "causal-convergence",
        also: &["causal+"],
        about: "There is one order of all writes that keeps what depends on what, and each read returns the last \
                write of its key among those that it depends on.",
        implies: &["weak-causal"],
        literature: "Lloyd et al., Don't settle for eventual (2011); Bouajjani et al., On verifying causal consistency (2017).",
    },
    Model {
        name: "weak-causal",
        also: &["causal consistency of Bouajjani et al."],
        about: "Each read can be explained by some order of what it depends on; another read by another order.",
        implies: &[],
        literature: "Bouajjani, Enea, Guerraoui and Hamza, On verifying causal consistency (2017).",
    },
    Model {
        name: "pram",
        also: &["FIFO", "pipelined RAM"],
        about: "Each session sees the writes of every session in that session's order.",
        implies: &["read-your-writes", "monotonic-reads", "monotonic-writes"],
        literature: "Lipton and Sandberg, PRAM: a scalable shared memory (1988).",
    },
    Model {
        name: "writes-follow-reads",
        also: &["session causality"],
        about: "Whoever sees a write also sees what its writer had read before.",
        implies: &[],
        literature: "Terry et al., Session guarantees for weakly consistent replicated data (1994).",
    },
    Model {
        name: "monotonic-writes",
        also: &[],
        about: "The writes of each session are seen in its order.",
        implies: &[],
        literature: "Terry et al., Session guarantees for weakly consistent replicated data (1994).",
    },
    Model {
        name: "monotonic-reads",
        also: &[],
        about: "A session that has read a value never reads an older one.",
        implies: &[],
        literature: "Terry et al., Session guarantees for weakly consistent replicated data (1994).",
    },
    Model {
        name: "read-your-writes",
        also: &["read-my-writes"],
        about: "A session finds what it has written itself, or something newer.",
        implies: &[],
        literature: "Terry et al., Session guarantees for weakly consistent replicated data (1994).",
    },
    Model {
        name: "converged",
        also: &["eventual", "eventually consistent"],
        about: "After writes have stopped and all faults are healed, all nodes give the same answers. An axis of its \
                own: a replica that stands still may be sequential. Class *eventual* also wants that no acknowledged \
                write was lost.",
        implies: &[],
        literature: "Vogels, Eventually consistent (2009).",
    },
];
