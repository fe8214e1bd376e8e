//! Who a process is, so that a number that was given away again is never taken for it.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

/// A process of this boot and PID namespace, told apart from later ones with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of proc_pid_stat(5)).
    pub started: u64,
}

impl ProcessId {
    /// The process that has the number now; `None` if there is none.
    pub fn of(pid: i32) -> Option<ProcessId> {
        Stat::of(pid).map(|stat| ProcessId { pid, started: stat.started })
    }

    /// Whether this very process still runs; a zombie does not.
    pub fn is_alive(self) -> bool {
        ProcessId::of(self.pid) == Some(self)
    }
}

/// What the kernel says of a living process (proc_pid_stat(5)).
pub(super) struct Stat {
    /// Number of its parent.
    pub(super) parent: i32,
    /// When it started, in clock ticks since boot.
    started: u64,
}

impl Stat {
    /// Of the process that has the number now; `None` if it is a zombie, or there is none.
    pub(super) fn of(pid: i32) -> Option<Stat> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may itself hold spaces and parentheses.
        let mut after_name = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
        let state = after_name.next()?;
        let parent = after_name.next()?.parse().ok()?;
        let started = after_name.nth(17)?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(Stat { parent, started })
    }
}

/// Who a journal belongs to: its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of the run.
    pub run: String,
    /// Name of the machine; state folders can be shared between machines.
    pub host: String,
    /// The boot of the machine, from the kernel.
    pub boot: String,
    /// The PID namespace in which the numbers are meant.
    pub pid_namespace: String,
    /// The process that made everything in the journal.
    #[serde(flatten)]
    pub process: ProcessId,
}

/// What can be said of a journal's owner from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Alive,
    /// Dead, and its processes, if there are any left, can be seen from here.
    Dead,
    /// The machine was booted since, so no process is left either.
    DeadByBoot,
    /// It cannot be seen from here whether it is alive.
    Elsewhere,
}

impl Owner {
    /// This process as the owner of `run`.
    ///
    /// # Errors
    /// `/proc` is not there.
    pub fn this_process(run: &str) -> io::Result<Owner> {
        let pid = std::process::id().cast_signed();
        Ok(Owner {
            run: run.to_owned(),
            host: nix::unistd::gethostname()?.to_string_lossy().into_owned(),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            pid_namespace: fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned(),
            process: ProcessId::of(pid).ok_or_else(|| io::Error::other("no /proc/self/stat"))?,
        })
    }

    pub(super) fn standing(&self) -> io::Result<Standing> {
        let here = Owner::this_process("")?;
        Ok(if self.host != here.host {
            Standing::Elsewhere
        } else if self.boot != here.boot {
            Standing::DeadByBoot
        } else if self.pid_namespace != here.pid_namespace {
            Standing::Elsewhere
        } else if self.process.is_alive() {
            Standing::Alive
        } else {
            Standing::Dead
        })
    }
}
