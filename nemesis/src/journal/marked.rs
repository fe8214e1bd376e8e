//! Processes that are known by a mark in their environment: where no PID namespace holds a run's
//! processes together, this does.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::identity::Stat;

/// How long killed processes may take to be gone.
const DEATH_LIMIT: Duration = Duration::from_secs(2);

/// What every process of a node is started with in its environment, and hands on to its children.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Name of the run.
    pub run: String,
    /// Name of the node; every node of the run if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Mark {
    /// The variable that carries it.
    pub const VARIABLE: &str = "SPLITBRAIN_NODE";

    /// The mark of one node of the same run.
    pub fn of_node(&self, node: &str) -> Mark {
        Mark { run: self.run.clone(), node: Some(node.to_owned()) }
    }

    /// The value of the variable in the environment of the node's program.
    pub fn value(&self) -> String {
        format!("{}/{}", self.run, self.node.as_deref().unwrap_or_default())
    }

    /// The living processes that carry the mark, and all that descend from them whether they
    /// carry it or not. Processes of other users are not seen. Only this machine's PID namespace
    /// is looked at.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn processes(&self) -> io::Result<Vec<i32>> {
        let all = self.processes_of_run()?.into_iter();
        let mine = all.filter(|(_, node)| self.node.as_ref().is_none_or(|mine| mine == node));
        Ok(mine.map(|(pid, _)| pid).collect())
    }

    /// All such processes of the run, each with the name of its node.
    ///
    /// # Errors
    /// As [`Mark::processes`].
    pub fn processes_of_run(&self) -> io::Result<BTreeMap<i32, String>> {
        let mut unmarked = Vec::new();
        let mut found = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process that is dead, or dying, is none.
            let Some(stat) = Stat::of(pid) else { continue };
            match self.node_of(pid) {
                Some(node) => drop(found.insert(pid, node)),
                None => unmarked.push((pid, stat.parent)),
            }
        }
        // Until no more children turn up; numbers need not grow from parent to child.
        loop {
            let before = found.len();
            for (pid, parent) in &unmarked {
                if let Some(node) = found.get(parent).cloned() {
                    found.insert(*pid, node);
                }
            }
            if found.len() == before {
                return Ok(found);
            }
        }
    }

    /// The node whose mark a process carries.
    fn node_of(&self, pid: i32) -> Option<String> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        environment.split(|byte| *byte == 0).find_map(|entry| {
            let value = entry.strip_prefix(Self::VARIABLE.as_bytes())?.strip_prefix(b"=")?;
            let node = value.strip_prefix(self.run.as_bytes())?.strip_prefix(b"/")?;
            Some(String::from_utf8_lossy(node).into_owned())
        })
    }

    /// Kills all of them, and those that they start meanwhile. True if there were any.
    ///
    /// # Errors
    /// Some do not die.
    pub fn kill(&self) -> io::Result<bool> {
        let until = Instant::now() + DEATH_LIMIT;
        let mut any = false;
        loop {
            let living = self.processes()?;
            if living.is_empty() {
                return Ok(any);
            }
            any = true;
            for pid in &living {
                match kill(Pid::from_raw(*pid), Signal::SIGKILL) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if Instant::now() > until {
                return Err(io::Error::other(format!("processes {living:?} do not die")));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::journal::ProcessId;

    fn mark(what: &str) -> Mark {
        Mark { run: format!("{what}-{}", std::process::id()), node: None }
    }

    fn shell(mark: &Mark, script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env(Mark::VARIABLE, mark.value());
        command.stdin(Stdio::null()).process_group(0).spawn().unwrap()
    }

    fn wait_for(mark: &Mark, count: usize) -> Vec<i32> {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let found = mark.processes().unwrap();
            if found.len() == count {
                return found;
            }
            assert!(Instant::now() < until, "{count} expected: {found:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn children_are_found_by_mark_or_parent_and_all_are_killed() {
        let run = mark("children");
        let (one, two) = (run.of_node("n1"), run.of_node("n10"));
        let script = "sleep 1000 & env -i sleep 1000 & (setsid sleep 1000 &) ; wait";
        let mut children = [shell(&one, script), shell(&two, "exec sleep 1000")];
        assert!(wait_for(&one, 4).contains(&children[0].id().cast_signed()));
        assert_eq!(wait_for(&two, 1), [children[1].id().cast_signed()]);
        wait_for(&run, 5);
        assert!(one.kill().unwrap());
        assert!(!one.kill().unwrap(), "again there are none");
        wait_for(&run, 1);
        assert!(run.kill().unwrap());
        children.iter_mut().for_each(|child| drop(child.wait()));
    }

    #[test]
    fn who_has_another_runs_mark_is_left_alone() {
        let (mine, other) = (mark("mine"), mark("mine-not"));
        let mut child = shell(&other.of_node("n1"), "exec sleep 1000");
        wait_for(&other, 1);
        assert!(!mine.kill().unwrap());
        assert!(ProcessId::of(child.id().cast_signed()).is_some());
        assert!(other.kill().unwrap());
        child.wait().unwrap();
    }
}
