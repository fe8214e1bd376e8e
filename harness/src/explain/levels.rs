//! The levels of isolation of transactions; [`super::MODELS`] has the models of single objects.

use super::Model;

const ADYA: &str = "Adya, Weak consistency (1999)";
const BISWAS: &str =
    "Biswas and Enea, On the complexity of checking transactional consistency (2019)";

/// All of them but causal, which single objects have too; the strongest first.
pub const LEVELS: &[Model] = &[
    Model {
        name: "strict-serializable",
        also: &["strong serializable", "strict-1SR"],
        about: "One order of all transactions explains every answer, and whatever had ended comes before whatever \
                began then.",
        implies: &["strong-session-serializable", "strong-snapshot-isolation"],
        literature: "Papadimitriou, The serializability of concurrent database updates (1979); Herlihy and Wing (1990).",
    },
    Model {
        name: "strong-session-serializable",
        also: &["strong-session-1SR"],
        about: "One order of all transactions explains every answer and keeps the order of each session.",
        implies: &["serializable", "strong-session-snapshot-isolation"],
        literature: "Daudjee and Salem, Lazy database replication with ordering guarantees (2004).",
    },
    Model {
        name: "serializable",
        also: &["PL-3"],
        about: "One order of all transactions explains every answer. It need not be that of the clock: all may read \
                the past.",
        implies: &["snapshot-isolation", "repeatable-read", "update-serializable"],
        literature: ADYA,
    },
    Model {
        name: "strong-snapshot-isolation",
        also: &[],
        about: "Snapshot isolation, and whoever begins sees all that had ended.",
        implies: &["strong-session-snapshot-isolation"],
        literature: "Daudjee and Salem, Lazy database replication with snapshot isolation (2006).",
    },
    Model {
        name: "strong-session-snapshot-isolation",
        also: &[],
        about: "Snapshot isolation, and each session sees what it did itself.",
        implies: &["snapshot-isolation", "parallel-snapshot-isolation"],
        literature: "Daudjee and Salem, Lazy database replication with snapshot isolation (2006).",
    },
    Model {
        name: "snapshot-isolation",
        also: &["SI"],
        about: "Each transaction reads from a snapshot of what was committed, and of two that write the same key one \
                sees the other. Write skew is allowed.",
        implies: &["read-committed"],
        literature: "Berenson et al., A critique of ANSI SQL isolation levels (1995).",
    },
    Model {
        name: "parallel-snapshot-isolation",
        also: &["PSI"],
        about: "The same, but snapshots need not be of one order of commits: long forks are allowed.",
        implies: &["causal"],
        literature: "Sovran, Power, Aguilera and Li, Transactional storage for geo-replicated systems (2011).",
    },
    Model {
        name: "repeatable-read",
        also: &["PL-2.99"],
        about: "As serializable for single keys; only what a condition selects may change meanwhile.",
        implies: &["read-committed"],
        literature: ADYA,
    },
    Model {
        name: "update-serializable",
        also: &["PL-3U", "no-update-conflict-misses"],
        about: "The transactions that write are serializable, together with any one that only reads.",
        implies: &["read-committed"],
        literature: ADYA,
    },
    Model {
        name: "read-atomic",
        also: &["RA"],
        about: "Who sees one effect of a transaction sees all of them, or newer ones.",
        implies: &["monotonic-atomic-view"],
        literature: BISWAS,
    },
    Model {
        name: "monotonic-atomic-view",
        also: &["MAV"],
        about: "Once a transaction has seen one effect of another, it sees all of them from then on.",
        implies: &["read-committed"],
        literature: "Bailis et al., Highly available transactions (2013); Biswas and Enea (2019) call it read committed.",
    },
    Model {
        name: "read-committed",
        also: &["PL-2"],
        about: "Nobody reads what did not happen, what was replaced at once, or in a circle.",
        implies: &["read-uncommitted"],
        literature: ADYA,
    },
    Model {
        name: "read-uncommitted",
        also: &["PL-1"],
        about: "The writes of transactions are in one order over all keys; what is read is not asked.",
        implies: &[],
        literature: ADYA,
    },
];
