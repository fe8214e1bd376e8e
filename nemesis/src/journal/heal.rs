//! Undoing what earlier runs left behind, from their journals.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::firewall::remove_chain;
use super::identity::Standing;
use super::undo::{Content, kill_process, read, remove_cgroup, remove_directory};
use super::{Entry, remove_listed};
use crate::iptables::CHAIN;

/// One thing that healing looked at, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealLine {
    /// Name of the run, or of the file if it could not be read.
    pub run: String,
    /// What it was.
    pub what: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of healing one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, and now it is verifiably gone.
    Undone,
    /// It was gone already.
    AlreadyGone,
    /// It was not touched, because of this.
    LeftAlone(String),
    /// It is still there, because of this.
    Failed(String),
}

impl fmt::Display for HealLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HealLine { run, what, outcome } = self;
        match outcome {
            Outcome::Undone => write!(f, "{run}: {what}: removed"),
            Outcome::AlreadyGone => write!(f, "{run}: {what}: was gone already"),
            Outcome::LeftAlone(why) => write!(f, "{run}: {what}: left alone, {why}"),
            Outcome::Failed(why) => write!(f, "{run}: {what}: could not be removed: {why}"),
        }
    }
}

/// Undoes what the journals in `folder` list, except for runs that still go on. May be repeated
/// at any time; a second call finds nothing to do.
///
/// # Errors
/// The folder cannot be read. That it is not there is no error.
pub fn heal(folder: &Path) -> io::Result<Vec<HealLine>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut journals: Vec<_> = entries.collect::<Result<Vec<_>, _>>()?;
    journals.sort_by_key(fs::DirEntry::file_name);
    Ok(journals
        .iter()
        .map(fs::DirEntry::path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .flat_map(|path| heal_run(&path))
        .collect())
}

fn heal_run(journal: &Path) -> Vec<HealLine> {
    let file = || journal.display().to_string();
    let alone = |run: String, why: String| {
        vec![HealLine { run, what: file(), outcome: Outcome::LeftAlone(why) }]
    };
    let Content { owner, entries } = match read(journal) {
        Ok(content) => content,
        Err(error) => return alone(file(), format!("it cannot be read: {error}")),
    };
    let processes_too = match owner.standing() {
        Ok(Standing::Dead) => true,
        Ok(Standing::DeadByBoot) => false,
        Ok(Standing::Alive) => {
            return alone(owner.run, format!("process {} still runs it", owner.process.pid));
        }
        Ok(Standing::Elsewhere) => {
            let why = format!("it belongs to host {}, {}", owner.host, owner.pid_namespace);
            return alone(owner.run, why);
        }
        Err(error) => return alone(owner.run, error.to_string()),
    };
    let line = |what: String, result: io::Result<bool>| HealLine {
        run: owner.run.clone(),
        what,
        outcome: match result {
            Ok(true) => Outcome::Undone,
            Ok(false) => Outcome::AlreadyGone,
            Err(error) => Outcome::Failed(error.to_string()),
        },
    };
    // Processes first: they could make new files while the folders are removed.
    let mut lines = Vec::new();
    for entry in &entries {
        let (what, kill): (String, &dyn Fn() -> io::Result<bool>) = match entry {
            Entry::Process { process, what } => {
                (format!("process {} ({what})", process.pid), &|| kill_process(*process))
            }
            Entry::Marked(mark) => (format!("processes marked {}", mark.value()), &|| mark.kill()),
            Entry::Firewall | Entry::Directory(_) | Entry::Cgroup(_) => continue,
        };
        lines.push(line(what, if processes_too { kill() } else { Ok(false) }));
    }
    for entry in &entries {
        match entry {
            Entry::Directory(path) => {
                lines.push(line(format!("folder {}", path.display()), remove_directory(path)));
            }
            Entry::Cgroup(path) => {
                lines.push(line(format!("cgroup {}", path.display()), remove_cgroup(path)));
            }
            Entry::Firewall => {
                lines.push(line(format!("the firewall's chain {CHAIN}"), remove_chain()));
            }
            Entry::Process { .. } | Entry::Marked(_) => {}
        }
    }
    if lines.iter().all(|line| !matches!(line.outcome, Outcome::Failed(_))) {
        lines.push(line(format!("journal {}", file()), remove_listed(journal).map(|()| true)));
    }
    lines
}
