//! What of the bundled store is tested: a mode, what it is told, and a mistake to make.
//!
//! Written `MODE[@OPTION=VALUE[+OPTION=VALUE]...][+BUG]`, as faults are.

use super::bugs::{BUGS, Bug};
use super::modes::{MODES, Mode, Promises};
use crate::databases::Told;
use crate::databases::options::names;

/// What is tested.
pub struct Target {
    /// The mode.
    pub mode: &'static Mode,
    /// What it is told.
    pub told: Told,
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
        let mut target = Target { mode, told: Told::nothing(mode.options), bug: None };
        for part in parts {
            match part.split_once('=') {
                Some((name, value)) => {
                    target.told.tell(&format!("mode {}", mode.name), name, value)?;
                }
                None if target.bug.is_some() => return Err("one bug at a time".to_owned()),
                None => target.bug = Some(bug(mode, part)?),
            }
        }
        Ok(target)
    }

    /// What it promises as it is told to be, whatever its mistake.
    pub fn promises(&self) -> Promises {
        self.mode.promises(&self.told)
    }

    /// The arguments for the store's program.
    pub fn args(&self) -> Vec<String> {
        let mode = ["--mode".to_owned(), self.mode.name.to_owned()];
        let told =
            self.told.iter().flat_map(|(name, value)| [format!("--{name}"), value.to_owned()]);
        let bug = self.bug.iter().flat_map(|bug| ["--bug".to_owned(), bug.name.to_owned()]);
        mode.into_iter().chain(told).chain(bug).collect()
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.mode.name, self.told)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::databases::store::modes::Rung;

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
        let check = |text: &str, most: Rung| {
            let promises = Target::parse(text).unwrap().promises();
            assert_eq!(promises.last(), Some(&most), "{text}");
        };
        check("raft+lost-fsync", Rung::Linearizable);
        check("primary-backup", Rung::NotCorrupt);
        check("primary-backup@standby=cold+replication=sync", Rung::Linearizable);
        check("quorum", Rung::Linearizable);
        check("quorum@read-quorum=1", Rung::NotCorrupt);
        check("gossip", Rung::Converged);
        check("read-replicas", Rung::MonotonicReads);
    }
}
