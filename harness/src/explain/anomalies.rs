//! The anomalies that the checker names.

use super::{also_called, example};

/// One of them.
pub struct Anomaly {
    /// Its name, as in `violations` of `--json`.
    pub name: &'static str,
    /// Other names for it.
    pub also: &'static [&'static str],
    /// What it is.
    pub about: &'static str,
    /// A history that shows it, and as little else as can be; see `example`.
    pub example: &'static str,
    /// The weakest consistency models that the example rules out.
    pub rules_out: &'static [&'static str],
    /// What usually is behind it.
    pub cause: &'static str,
    /// Whose word it is, or who described it.
    pub literature: &'static str,
}

impl Anomaly {
    /// All of it for a person.
    pub fn text(&self) -> String {
        let rules_out = match self.rules_out {
            [] if self.example.starts_with("of ") => {
                "It is wrong in every order in which a system may work, and no model of the ladder is asked.".to_owned()
            }
            [] => "No model of the ladder rules it out by itself: it is about what remains in the end.".to_owned(),
            models => format!("It rules out {}, and every model that is stronger.", models.join(", ")),
        };
        format!(
            "{}{}\n\n{}\n\nFor example (client at node: operation, key, value, from-to in seconds; `-` is null):\n\n{}\n\
             {rules_out}\nOften behind it: {}\nLiterature: {}\n",
            self.name,
            also_called(self.also),
            self.about,
            example::shown(self.example),
            self.cause,
            self.literature
        )
    }

    /// The example as a history, JSON lines.
    pub fn history(&self) -> String {
        example::history(self.example)
    }
}

/// All of them, the gravest first.
pub const ANOMALIES: &[Anomaly] = &[
    Anomaly {
        name: "phantom-read",
        also: &["garbage read"],
        about: "A read returned a value that nobody ever tried to write.",
        example: "0 at n1: write x 1 1-2\n1 at n2: read x 7 3-4",
        rules_out: &[
            "writes-follow-reads",
            "monotonic-writes",
            "monotonic-reads",
            "read-your-writes",
            "weak-causal",
        ],
        cause: "corrupted storage or messages, values of another key, a cache that is shared by mistake.",
        literature: "Lamport, On interprocess communication (1986): not even a safe register does this between writes.",
    },
    Anomaly {
        name: "aborted-read",
        also: &["dirty read"],
        about: "A read returned a value whose write certainly failed: it had been rolled back or refused, and was seen \
                all the same.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-4 fail\n1 at n2: read x 2 5-6",
        rules_out: &[
            "writes-follow-reads",
            "monotonic-writes",
            "monotonic-reads",
            "read-your-writes",
            "weak-causal",
        ],
        cause: "a value that is visible before it is decided, or an error answer for a write that went on.",
        literature: "Adya, Weak consistency (1999), G1a.",
    },
    Anomaly {
        name: "read-from-the-future",
        also: &[],
        about: "A read returned a value whose write began only after the read had ended.",
        example: "0 at n1: write x 1 1-2\n1 at n2: read x 2 3-4\n0 at n1: write x 2 5-6",
        rules_out: &["linearizable"],
        cause: "in a recording of one's own: clocks of several machines in one history. Otherwise, values that can be guessed.",
        literature: "Herlihy and Wing, Linearizability (1990).",
    },
    Anomaly {
        name: "lost-write",
        also: &["lost update of an acknowledged write"],
        about: "A write was acknowledged, nothing that came after it explains its absence, and when all had come to \
                rest it was gone.",
        example: "0 at n1: write x 1 1-2\nfinally\n1 at n1: read x - 4-5\n2 at n2: read x - 4-5\n3 at n3: read x - 4-5\n\
                  1 at n1: read x - 6-7\n2 at n2: read x - 6-7\n3 at n3: read x - 6-7",
        rules_out: &["linearizable"],
        cause: "an acknowledgement before a majority, or the disk, has it; a fail-over to a node that lags.",
        literature: "Kingsbury, Jepsen analyses (2013 on); Vogels, Eventually consistent (2009).",
    },
    Anomaly {
        name: "not-converged",
        also: &["divergence", "permanent divergence"],
        about: "Writes had stopped, all faults were healed, and nodes still gave different answers for one key, round \
                after round, until the time for that was over.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-4\nfinally\n1 at n1: read x 2 5-6\n2 at n2: read x 1 5-6\n\
                  3 at n3: read x 2 5-6\n1 at n1: read x 2 7-8\n2 at n2: read x 1 7-8\n3 at n3: read x 2 7-8",
        rules_out: &["linearizable", "converged"],
        cause: "no repair: what a node missed while it was cut off is never sent again.",
        literature: "Vogels, Eventually consistent (2009).",
    },
    Anomaly {
        name: "stale-read",
        also: &["stale"],
        about: "A read returned a value that had been overwritten, by a write that was acknowledged before the read began.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-4\n1 at n2: read x 1 5-6",
        rules_out: &["linearizable"],
        cause: "reads that are answered by a replica, a cache, or a leader that does not know it was replaced.",
        literature: "Herlihy and Wing (1990); Bailis et al., Probabilistically bounded staleness (2012).",
    },
    Anomaly {
        name: "non-linearizable",
        also: &["linearizability violation", "new-old inversion"],
        about: "No order of the operations, each taking effect between its begin and its end, explains all answers; \
                and it is none of the simpler anomalies above.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-9\n1 at n2: read x 2 4-5\n2 at n3: read x 1 6-7",
        rules_out: &["linearizable"],
        cause: "reads that see a write before it is decided, so that a later reader can still miss it.",
        literature: "Herlihy and Wing, Linearizability (1990); Lamport (1986), new-old inversion.",
    },
    Anomaly {
        name: "non-sequential",
        also: &["sequential consistency violation"],
        about: "No one order of all operations that keeps each session's own order explains all answers.",
        example: "0 at n1: write x 1 1-2\n0 at n1: read y - 3-4\n1 at n2: write y 1 1-2\n1 at n2: read x - 3-4",
        rules_out: &["sequential"],
        cause: "reads of a replica that has not seen what others wrote, on two keys at once (Dekker's test).",
        literature: "Lamport, How to make a multiprocessor computer (1979).",
    },
    Anomaly {
        name: "non-monotonic-reads",
        also: &["read skew in time", "going back in time"],
        about: "One session read a value and after that an older one.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-4\n1 at n1: read x 2 5-6\n1 at n2: read x 1 7-8",
        rules_out: &["monotonic-reads", "monotonic-writes", "writes-follow-reads", "weak-causal"],
        cause: "a client that is sent from one replica to another that lags.",
        literature: "Terry et al., Session guarantees (1994).",
    },
    Anomaly {
        name: "non-read-your-writes",
        also: &["lost own write"],
        about: "One session wrote a value and did not find it, but an older one.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write x 2 3-4\n0 at n2: read x 1 5-6",
        rules_out: &["read-your-writes", "weak-causal"],
        cause: "writes go to the primary and reads to a replica that lags.",
        literature: "Terry et al., Session guarantees (1994).",
    },
    Anomaly {
        name: "non-monotonic-writes",
        also: &[],
        about: "One session wrote one key and then another, and somebody saw the second without the first.",
        example: "0 at n1: write x 1 1-2\n0 at n1: write y 1 3-4\n1 at n2: read y 1 5-6\n1 at n2: read x - 7-8",
        rules_out: &["monotonic-writes", "weak-causal"],
        cause: "keys, or shards, that are replicated each for itself, without an order among them.",
        literature: "Terry et al., Session guarantees (1994).",
    },
    Anomaly {
        name: "non-writes-follow-reads",
        also: &["session causality"],
        about: "Somebody read a value and answered it with a write, and a third one saw the answer without what it \
                answered.",
        example: "0 at n1: write x 1 1-2\n1 at n2: read x 1 3-4\n1 at n2: write y 1 5-6\n2 at n3: read y 1 7-8\n2 at n3: read x - 9-10",
        rules_out: &["writes-follow-reads", "weak-causal"],
        cause: "replication that does not carry what a write depends on.",
        literature: "Terry et al., Session guarantees (1994).",
    },
];
