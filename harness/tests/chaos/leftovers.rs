//! What is left of a run, looked for by somebody who is not the tool and trusts nothing that it says.
//!
//! Processes are known by a mark in their environment, or by descending from one that has it, at any
//! time of the run. A namespace has no name: it is there by a process in it, or else by a mount. So
//! are the rules and qdiscs in it; those of the machine itself are in [`machine`](crate::machine).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::Signal;

use crate::machine::Machine;
use crate::trouble::send;

/// The variable with the mark.
pub const MARK: &str = "SPLITBRAIN_CHAOS_RUN";
/// The kinds of namespaces that a run makes.
const NAMESPACES: [&str; 4] = ["net", "pid", "mnt", "user"];
/// The folder of a run keeps these.
const KEPT: [&str; 5] = ["plan.json", "history.jsonl", "verdict.json", "report.txt", "report.html"];

/// The kinds of things that can be left, as the table names them.
pub const KINDS: [&str; 9] = [
    "processes",
    "stopped",
    "namespaces",
    "mounts",
    "cgroups",
    "files",
    "links",
    "rules",
    "qdiscs",
];

/// Something that is left.
#[derive(Debug)]
pub struct Leftover {
    /// One of [`KINDS`].
    pub kind: &'static str,
    pub what: String,
}

/// A process, told apart from later ones with its number by when it started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    pid: i32,
    started: u64,
}

struct Process {
    id: Id,
    parent: i32,
    state: char,
}

/// Somebody who looks on.
pub struct Watch {
    mark: String,
    folder: PathBuf,
    work: PathBuf,
    state: PathBuf,
    tmp: PathBuf,
    /// All processes that have ever been seen of the run.
    seen: BTreeSet<Id>,
    /// All namespaces that have ever been seen of the run.
    namespaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
    machine: Machine,
}

impl Watch {
    /// Begins to look on, before the run does. `folder` is all of the run's place, in which it has
    /// the others.
    pub fn begin(folder: &Path, work: &Path, state: &Path, tmp: &Path) -> Watch {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        Watch {
            mark: format!("{}-{number}", std::process::id()),
            folder: folder.to_owned(),
            work: work.to_owned(),
            state: state.to_owned(),
            tmp: tmp.to_owned(),
            seen: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            mounts: mounts(),
            machine: Machine::now(),
        }
    }

    /// What every process of the run is to carry.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Notes what there is of the run now.
    pub fn look(&mut self) {
        let own = namespaces_of(Path::new("/proc/thread-self"));
        let all = processes();
        let mut mine: BTreeSet<i32> =
            all.iter().map(|one| one.id.pid).filter(|pid| self.is_marked(*pid)).collect();
        loop {
            let before = mine.len();
            let children = all.iter().filter(|one| mine.contains(&one.parent));
            let children: Vec<i32> = children.map(|child| child.id.pid).collect();
            mine.extend(children);
            if mine.len() == before {
                break;
            }
        }
        for process in all.iter().filter(|one| mine.contains(&one.id.pid)) {
            self.seen.insert(process.id);
            self.namespaces.extend(process.namespaces().difference(&own).cloned());
        }
    }

    fn is_marked(&self, pid: i32) -> bool {
        let mark = format!("{MARK}={}", self.mark);
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
    }

    /// The processes of the run that are there now.
    fn processes(&self) -> Vec<Process> {
        let mut all = processes();
        all.retain(|one| self.seen.contains(&one.id) || self.is_marked(one.id.pid));
        all
    }

    /// What is left of the run, whose harness had this number and has ended.
    pub fn left(&self, harness: u32) -> Vec<Leftover> {
        let mut left = Vec::new();
        let mut add = |kind, what| left.push(Leftover { kind, what });
        let own = namespaces_of(Path::new("/proc/thread-self"));
        let mut namespaces = BTreeSet::new();
        for process in self.processes() {
            let pid = process.id.pid;
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let stopped = matches!(process.state, 'T' | 't');
            let kind = if stopped { "stopped" } else { "processes" };
            add(kind, format!("{pid} {}", name.trim()));
            namespaces.extend(process.namespaces());
        }
        namespaces.difference(&own).for_each(|one| add("namespaces", one.clone()));
        for line in mounts().difference(&self.mounts) {
            let pinned = || self.namespaces.iter().any(|one| line.contains(one.as_str()));
            if line.contains(&*self.folder.to_string_lossy()) || pinned() {
                add("mounts", line.clone());
            }
        }
        cgroups(harness).into_iter().for_each(|path| add("cgroups", path));
        let mut files = below(&self.state);
        files.extend(below(&self.tmp));
        files.extend(below(&self.work).into_iter().filter(|path| !self.is_kept(path)));
        files.into_iter().for_each(|path| add("files", path.display().to_string()));
        for (kind, what) in Machine::now().since(&self.machine) {
            add(kind, what);
        }
        left
    }

    /// Kills the processes that should have been gone, so that the test leaves nothing itself.
    pub fn end_what_is_left(&self) {
        for process in self.processes() {
            send(process.id.pid, Signal::SIGKILL);
        }
    }

    /// Whether a run is to leave this in its working folder: its record, and the nodes' logs.
    fn is_kept(&self, path: &Path) -> bool {
        if path.starts_with(&self.state) || path == self.work.join("state") {
            return true; // looked at by itself
        }
        let Ok(below) = path.strip_prefix(&self.work) else { return false };
        let parts: Vec<&str> = below.iter().map(|part| part.to_str().unwrap_or("?")).collect();
        match parts[..] {
            ["store"] | ["store", "latest"] => true,
            ["store", family] | ["store", family, _] => !family.starts_with('.'),
            ["store", _, _, file] => KEPT.contains(&file) || file.starts_with('n'),
            ["store", _, _, _, file] => file.ends_with(".log"),
            _ => false,
        }
    }
}

impl Process {
    /// From proc_pid_stat(5); nothing for a zombie.
    fn of(pid: i32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        let process = Process { id: Id { pid, started }, parent, state };
        (!matches!(state, 'Z' | 'X')).then_some(process)
    }

    /// Those of all its threads.
    fn namespaces(&self) -> BTreeSet<String> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id.pid));
        let threads = threads.into_iter().flatten().flatten();
        threads.flat_map(|thread| namespaces_of(&thread.path())).collect()
    }
}

fn processes() -> Vec<Process> {
    let numbers = fs::read_dir("/proc").expect("readable").flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(Process::of).collect()
}

fn namespaces_of(thread: &Path) -> BTreeSet<String> {
    let names = NAMESPACES.iter().filter_map(|name| {
        fs::read_link(thread.join("ns").join(name)).ok()?.into_os_string().into_string().ok()
    });
    names.collect()
}

/// The mounts that this thread sees, each a line without the numbers that come and go.
fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/thread-self/mountinfo").expect("readable");
    text.lines().map(|line| line.splitn(4, ' ').nth(3).unwrap_or(line).to_owned()).collect()
}

/// The control groups that a harness of this number made, wherever they are.
fn cgroups(harness: u32) -> Vec<String> {
    let end = format!("-{harness}");
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("splitbrain-") && name.ends_with(&end) {
                found.push(entry.path().display().to_string());
            }
            folders.push(entry.path());
        }
    }
    found
}

/// All that is in a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}
