//! What of the bundled store is tested: a mode, what it is told, and a mistake to make.
//!
//! Written `MODE[@OPTION=VALUE[+OPTION=VALUE]...][+BUG]`, as faults are.

/// One mode of the bundled store.
pub struct Mode {
    /// Name, as after `--mode`.
    pub name: &'static str,
    /// What it is and promises, in one sentence.
    pub about: &'static str,
    /// What it promises if it is not told otherwise.
    promise: Promise,
    /// What it can be told.
    pub options: &'static [Opt],
    /// Whether its compare-and-set is atomic.
    pub(super) cas: bool,
    /// Whether nodes can leave and join.
    pub(super) members: bool,
}

/// What a mode promises. A greater promise contains the smaller ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// A read returns something that was written.
    NotCorrupt,
    /// All nodes agree in the end, and no acknowledged write is lost.
    Eventual,
    /// One order explains everything.
    Linearizable,
}

/// Something that a mode can be told.
pub struct Opt {
    /// Name, as after `@`; the store's flag is the same with `--` before it.
    pub name: &'static str,
    /// What it is if nothing is said.
    pub usual: &'static str,
    /// The words that it may be; a number, if there are none.
    words: &'static [&'static str],
    /// What it does, in a few words.
    pub about: &'static str,
}

/// A known mistake that the bundled store can be told to make.
pub struct Bug {
    /// Name, as after `--bug`.
    pub name: &'static str,
    /// The modes that can make it.
    pub modes: &'static [&'static str],
    /// What is wrong, in one sentence.
    pub about: &'static str,
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
        promise: Promise::Linearizable,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: true,
    },
    Mode {
        name: "single",
        about: "One node serves and the others hand requests to it: promises to be linearizable, and is CA.",
        promise: Promise::Linearizable,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: false,
    },
    Mode {
        name: "primary-backup",
        about: "One node serves and another takes its place: promises not to be corrupt, and if synchronous to be linearizable.",
        promise: Promise::NotCorrupt,
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
        promise: Promise::Eventual,
        options: &[SNAPSHOT_ENTRIES, APPLIED_LOG],
        cas: true,
        members: false,
    },
    Mode {
        name: "quorum",
        about: "Every node accepts, R or W of N replicas must answer: promises not to be corrupt, and if R + W > N, as usual, to be linearizable, and is CP.",
        promise: Promise::Linearizable,
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
        promise: Promise::Eventual,
        options: &[GOSSIP_INTERVAL, APPLIED_LOG],
        cas: false,
        members: false,
    },
    Mode {
        name: "gossip",
        about: "Every node accepts, anti-entropy, last writer wins: promises to be eventually consistent, and is AP.",
        promise: Promise::Eventual,
        options: &[GOSSIP_INTERVAL, APPLIED_LOG],
        cas: false,
        members: false,
    },
    Mode {
        name: "cache",
        about: "Best-effort broadcast without repair or durability: promises only not to be corrupt, and is AP.",
        promise: Promise::NotCorrupt,
        options: &[],
        cas: false,
        members: false,
    },
];

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
        name: "log-truncated-at-restart",
        modes: &["primary-backup", "raft", "single"],
        about: "Drops the last record of the log at each start, as if it were torn.",
    },
    Bug {
        name: "lost-fsync",
        modes: &["gossip", "raft", "single"],
        about: "Acknowledges writes that are not on disk yet.",
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
        name: "snapshot-drops-tail",
        modes: &["raft"],
        about: "A snapshot says that it has writes that came after its values were copied.",
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

/// What is tested.
pub struct Target {
    /// The mode.
    pub mode: &'static Mode,
    /// What it is told: option and value.
    pub told: Vec<(&'static str, String)>,
    /// The mistake that it makes, if any.
    pub bug: Option<&'static Bug>,
}

impl Target {
    /// Understands a target, or says what there is.
    pub fn parse(text: &str) -> Result<Target, String> {
        let mut parts = text.split(['@', '+']);
        let name = parts.next().unwrap_or_default();
        let mode = MODES.iter().find(|mode| mode.name == name).ok_or_else(|| {
            let names = names(MODES.iter().map(|mode| mode.name));
            format!("the bundled store has no mode {name:?}; there are: {names}")
        })?;
        let mut target = Target { mode, told: Vec::new(), bug: None };
        for part in parts {
            match part.split_once('=') {
                Some((name, value)) => target.tell(name, value)?,
                None if target.bug.is_some() => return Err("one bug at a time".to_owned()),
                None => target.bug = Some(bug(mode, part)?),
            }
        }
        Ok(target)
    }

    fn tell(&mut self, name: &str, value: &str) -> Result<(), String> {
        let options = self.mode.options;
        let option = options.iter().find(|option| option.name == name).ok_or_else(|| {
            let names = names(options.iter().map(|option| option.name));
            format!("mode {} has no option {name:?}; it has: {names}", self.mode.name)
        })?;
        let fits = match option.words {
            [] => value.parse::<u32>().is_ok(),
            words => words.contains(&value),
        };
        if !fits {
            let words = names(option.words.iter().copied());
            let expected = if option.words.is_empty() { "a number".to_owned() } else { words };
            return Err(format!("{name} is {value:?}, expected: {expected}"));
        }
        self.told.push((option.name, value.to_owned()));
        Ok(())
    }

    /// What it promises as it is told to be, whatever its mistake.
    pub fn promise(&self) -> Promise {
        let told = |name: &str| self.told.iter().find(|(told, _)| *told == name);
        match told("replication") {
            Some((_, replication)) if replication == "sync" => Promise::Linearizable,
            // With R + W above N it is more, but that depends on the number of nodes.
            _ if told("read-quorum").or(told("write-quorum")).is_some() => Promise::NotCorrupt,
            _ => self.mode.promise,
        }
    }

    /// The arguments for the store's program.
    pub fn args(&self) -> Vec<String> {
        let mode = ["--mode".to_owned(), self.mode.name.to_owned()];
        let told = self.told.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
        let bug = self.bug.iter().flat_map(|bug| ["--bug".to_owned(), bug.name.to_owned()]);
        mode.into_iter().chain(told).chain(bug).collect()
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mode.name)?;
        for ((name, value), before) in self.told.iter().zip(['@'].into_iter().chain(['+'; 9])) {
            write!(f, "{before}{name}={value}")?;
        }
        self.bug.map_or(Ok(()), |bug| write!(f, "+{}", bug.name))
    }
}

fn bug(mode: &Mode, name: &str) -> Result<&'static Bug, String> {
    let here = || BUGS.iter().filter(|bug| bug.modes.contains(&mode.name));
    here().find(|bug| bug.name == name).ok_or_else(|| {
        let names = names(here().map(|bug| bug.name));
        format!("mode {} of the bundled store has no bug {name:?}; it has: {names}", mode.name)
    })
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_written_as_it_was_read() {
        for text in ["raft", "raft+lost-fsync", "raft@snapshot-entries=20+lost-fsync"] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
        let target = Target::parse("raft@snapshot-entries=20+lost-fsync").unwrap();
        let args = ["--mode", "raft", "--snapshot-entries", "20", "--bug", "lost-fsync"];
        assert_eq!(target.args(), args);
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let check = |text: &str, expect: &str| {
            let error = Target::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(error.contains(expect), "{text}: {error}");
        };
        check("rafft", "there are: raft, single");
        check("primary-backup@replication=half", "expected: async, sync");
        check("cache+lost-fsync", "has no bug \"lost-fsync\"; it has: none");
        check("quorum+no-fencing", "it has: ack-before-quorum, clock");
        check("raft+unheard-of", "it has: ");
        check("raft+lost-fsync+lost-fsync", "one bug at a time");
        check("raft@speed=3", "it has: snapshot-entries, applied-log");
        check("cache@applied-log=applied.jsonl", "it has: none");
        check("raft@snapshot-entries=few", "expected: a number");
    }

    #[test]
    fn what_is_promised_depends_on_what_is_told() {
        let check = |text: &str, promise| {
            assert_eq!(Target::parse(text).unwrap().promise(), promise, "{text}");
        };
        check("raft+lost-fsync", Promise::Linearizable);
        check("primary-backup", Promise::NotCorrupt);
        check("primary-backup@standby=cold+replication=sync", Promise::Linearizable);
        check("quorum", Promise::Linearizable);
        check("quorum@read-quorum=1", Promise::NotCorrupt);
        check("gossip", Promise::Eventual);
    }

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
