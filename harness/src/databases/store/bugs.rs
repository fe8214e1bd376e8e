//! The known mistakes that the bundled store can be told to make, one at a time.

/// A known mistake that the bundled store can be told to make.
pub struct Bug {
    /// Name, as after `--bug`.
    pub name: &'static str,
    /// The modes that can make it.
    pub modes: &'static [&'static str],
    /// What is wrong, in one sentence.
    pub about: &'static str,
}

/// Every known mistake, alphabetical.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "ack-before-quorum",
        modes: &["primary-backup", "quorum", "raft"],
        about: "Acknowledges a write before enough nodes have it.",
    },
    Bug {
        name: "clock-overwrites-newer",
        modes: &["quorum"],
        about: "Stamps a write by the wall clock alone, so that a newer value with a later stamp stays.",
    },
    Bug {
        name: "dirty-read",
        modes: &["primary-backup"],
        about: "Reads return a value that is not committed yet and may be rolled back.",
    },
    Bug {
        name: "double-apply-on-retry",
        modes: &["primary-backup", "raft", "single"],
        about: "Sends a write again when no answer came soon, though the first may have been carried out.",
    },
    Bug {
        name: "element-resurrected",
        modes: &["quorum"],
        about: "Forgets that an element was removed, so that a replica which missed it brings it back.",
    },
    Bug {
        name: "lagging-failover-read",
        modes: &["primary-backup"],
        about: "A standby that lags behind may take the primary's place, and serves what it has.",
    },
    Bug {
        name: "lock-lease",
        modes: &["raft"],
        about: "A lock is given to another when it has been held for long, though its holder may go on.",
    },
    Bug {
        name: "log-truncated-at-restart",
        modes: &["primary-backup", "raft", "single"],
        about: "Drops the last record of the log at each start, as if it were torn.",
    },
    Bug {
        name: "long-fork",
        modes: &["raft"],
        about: "Transactions that only read see every other key as it was a while ago.",
    },
    Bug {
        name: "lost-fsync",
        modes: &["gossip", "raft", "single"],
        about: "Acknowledges writes that are not on disk yet.",
    },
    Bug {
        name: "lost-update",
        modes: &["raft"],
        about: "Transactions write what they made of a snapshot, over whatever was written since.",
    },
    Bug {
        name: "no-fencing",
        modes: &["primary-backup"],
        about: "An old primary goes on after another has taken its place, and the others listen to it.",
    },
    Bug {
        name: "non-atomic-cas",
        modes: &["primary-backup", "raft", "single"],
        about: "A compare-and-set compares first and sets then, and another write fits between.",
    },
    Bug {
        name: "read-committed",
        modes: &["raft"],
        about: "Transactions read each key when its turn comes, not all at one moment.",
    },
    Bug {
        name: "read-uncommitted",
        modes: &["raft"],
        about: "What a transaction writes is seen before it is decided, and what is taken back is not rolled back.",
    },
    Bug {
        name: "snapshot-drops-tail",
        modes: &["raft"],
        about: "A snapshot says that it has writes that came after its values were copied.",
    },
    Bug {
        name: "snapshot-isolation",
        modes: &["raft"],
        about: "Transactions read from a snapshot, and only those that write the same keys get in each other's way.",
    },
    Bug {
        name: "stale-hint-replay",
        modes: &["quorum"],
        about: "A hint is handed over as if it were written now, over a newer value.",
    },
    Bug {
        name: "stale-leader-read",
        modes: &["raft"],
        about: "A leader answers reads without asking a majority whether it still leads.",
    },
    Bug {
        name: "vote-not-persisted",
        modes: &["primary-backup"],
        about: "A node forgets at a restart for whom it has voted, and in which term.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::databases::MODES;

    #[test]
    fn the_lists_keep_the_rules() {
        assert!(BUGS.is_sorted_by_key(|bug| bug.name));
        for bug in BUGS {
            assert!(bug.about.ends_with('.') && !bug.modes.is_empty(), "{}", bug.name);
            let known = |name: &&str| MODES.iter().any(|mode| mode.name == *name);
            assert!(bug.modes.iter().all(known), "{}", bug.name);
        }
        assert!(MODES.iter().all(|mode| mode.about.ends_with('.')));
    }
}
