//! Known mistakes that a node can be told to make, so that it can be seen whether they are found.
//!
//! Each is a small `if` where the mistake would be made; search for its name to see it.

/// A known mistake; [`ALL`] says what each one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the table below has a sentence for each")]
pub enum Mistake {
    AckBeforeQuorum,
    ClockOverwritesNewer,
    DirtyRead,
    DoubleApplyOnRetry,
    ElementResurrected,
    LaggingFailoverRead,
    LockLease,
    LogTruncatedAtRestart,
    LongFork,
    LostFsync,
    LostUpdate,
    NoFencing,
    NonAtomicCas,
    ReadCommitted,
    ReadUncommitted,
    SnapshotDropsTail,
    SnapshotIsolation,
    StaleHintReplay,
    StaleLeaderRead,
    VoteNotPersisted,
}

/// What is said of a mistake.
pub struct Bug {
    /// Which.
    pub mistake: Mistake,
    /// What it is called on the command line.
    pub name: &'static str,
    /// The modes in which it can be made.
    pub modes: &'static [&'static str],
    /// What is wrong, in one sentence.
    pub about: &'static str,
}

/// All mistakes.
pub const ALL: &[Bug] = &[
    Bug {
        mistake: Mistake::AckBeforeQuorum,
        name: "ack-before-quorum",
        modes: &["primary-backup", "quorum", "raft"],
        about: "Acknowledges a write before enough nodes have it.",
    },
    Bug {
        mistake: Mistake::ClockOverwritesNewer,
        name: "clock-overwrites-newer",
        modes: &["quorum"],
        about: "Stamps a write by the wall clock alone, so that a newer value with a later stamp stays.",
    },
    Bug {
        mistake: Mistake::DirtyRead,
        name: "dirty-read",
        modes: &["primary-backup"],
        about: "Reads return a value that is not committed yet and may be rolled back.",
    },
    Bug {
        mistake: Mistake::DoubleApplyOnRetry,
        name: "double-apply-on-retry",
        modes: &["primary-backup", "raft", "single"],
        about: "Sends a write again when no answer came soon, though the first may have been carried out.",
    },
    Bug {
        mistake: Mistake::ElementResurrected,
        name: "element-resurrected",
        modes: &["quorum"],
        about: "Forgets that an element was removed, so that a replica which missed it brings it back.",
    },
    Bug {
        mistake: Mistake::LaggingFailoverRead,
        name: "lagging-failover-read",
        modes: &["primary-backup"],
        about: "A standby that lags behind may take the primary's place, and serves what it has.",
    },
    Bug {
        mistake: Mistake::LockLease,
        name: "lock-lease",
        modes: &["raft"],
        about: "A lock is given to another when it has been held for long, though its holder may go on.",
    },
    Bug {
        mistake: Mistake::LogTruncatedAtRestart,
        name: "log-truncated-at-restart",
        modes: &["primary-backup", "raft", "single"],
        about: "Drops the last record of the log at each start, as if it were torn.",
    },
    Bug {
        mistake: Mistake::LongFork,
        name: "long-fork",
        modes: &["raft"],
        about: "Transactions that only read see every other key as it was a while ago.",
    },
    Bug {
        mistake: Mistake::LostFsync,
        name: "lost-fsync",
        modes: &["gossip", "raft", "single"],
        about: "Acknowledges writes that are not on disk yet.",
    },
    Bug {
        mistake: Mistake::LostUpdate,
        name: "lost-update",
        modes: &["raft"],
        about: "Transactions write what they made of a snapshot, over whatever was written since.",
    },
    Bug {
        mistake: Mistake::NoFencing,
        name: "no-fencing",
        modes: &["primary-backup"],
        about: "An old primary goes on after another has taken its place, and the others listen to it.",
    },
    Bug {
        mistake: Mistake::NonAtomicCas,
        name: "non-atomic-cas",
        modes: &["primary-backup", "raft", "single"],
        about: "A compare-and-set compares first and sets then, and another write fits between.",
    },
    Bug {
        mistake: Mistake::ReadCommitted,
        name: "read-committed",
        modes: &["raft"],
        about: "Transactions read each key when its turn comes, not all at one moment.",
    },
    Bug {
        mistake: Mistake::ReadUncommitted,
        name: "read-uncommitted",
        modes: &["raft"],
        about: "What a transaction writes is seen before it is decided, and what is taken back is not rolled back.",
    },
    Bug {
        mistake: Mistake::SnapshotDropsTail,
        name: "snapshot-drops-tail",
        modes: &["raft"],
        about: "A snapshot says that it has writes that came after its values were copied.",
    },
    Bug {
        mistake: Mistake::SnapshotIsolation,
        name: "snapshot-isolation",
        modes: &["raft"],
        about: "Transactions read from a snapshot, and only those that write the same keys get in each other's way.",
    },
    Bug {
        mistake: Mistake::StaleHintReplay,
        name: "stale-hint-replay",
        modes: &["quorum"],
        about: "A hint is handed over as if it were written now, over a newer value.",
    },
    Bug {
        mistake: Mistake::StaleLeaderRead,
        name: "stale-leader-read",
        modes: &["raft"],
        about: "A leader answers reads without asking a majority whether it still leads.",
    },
    Bug {
        mistake: Mistake::VoteNotPersisted,
        name: "vote-not-persisted",
        modes: &["primary-backup"],
        about: "A node forgets at a restart for whom it has voted, and in which term.",
    },
];

/// The mistake of that name, if it can be made in `mode`; otherwise which ones can.
pub fn find(name: &str, mode: &str) -> Result<Mistake, String> {
    let here: Vec<&Bug> = ALL.iter().filter(|bug| bug.modes.contains(&mode)).collect();
    match here.iter().find(|bug| bug.name == name) {
        Some(bug) => Ok(bug.mistake),
        None => {
            let names: Vec<&str> = here.iter().map(|bug| bug.name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Err(format!("mode {mode} has no bug {name:?}; it has: {names}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes;

    #[test]
    fn every_mistake_has_a_name_a_sentence_and_modes_that_there_are() {
        for bug in ALL {
            assert!(bug.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            assert!(bug.about.ends_with('.') && !bug.modes.is_empty(), "{}", bug.name);
            for mode in bug.modes {
                assert!(modes::ALL.iter().any(|known| known.name == *mode), "{mode}");
                assert_eq!(find(bug.name, mode), Ok(bug.mistake));
            }
        }
    }

    #[test]
    fn a_mistake_that_a_mode_cannot_make_is_refused_with_those_that_it_can() {
        let error = find("lost-fsync", "cache").unwrap_err();
        assert!(error.contains("mode cache has no bug \"lost-fsync\"; it has: none"), "{error}");
        let error = find("unheard-of", "raft").unwrap_err();
        assert!(error.contains("it has: ") && error.contains("lost-fsync"), "{error}");
    }
}
