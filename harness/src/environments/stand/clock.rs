//! The clock of one node's programs, which can be made wrong: the library in them, and the page by
//! which it is told how wrong.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::clock::{
    Deviation, LIBRARY, PAGE_VARIABLE, Page, Reading, asks_libc, machine_ns,
};

use super::roles::{CLOCK, role};
use crate::environments::Daemon;
use crate::environments::tool::look_up;

/// The library, and the page of one node.
pub(in crate::environments) struct NodeClock {
    library: PathBuf,
    page: Mutex<Page>,
}

impl NodeClock {
    /// Makes both in a folder, which is made too, for a program that would ask the library.
    ///
    /// # Errors
    /// It would not, or the files cannot be written; why, for a person.
    pub(in crate::environments) fn make(
        folder: &Path,
        daemon: &Daemon,
    ) -> Result<NodeClock, String> {
        if LIBRARY.is_empty() {
            return Err("no library for this kind of machine".to_owned());
        }
        if let Some(program) = look_up(&daemon.program) {
            asks_libc(&program).map_err(|why| why.to_string())?;
        }
        let library = folder.join("clock.so");
        let write = || {
            fs::create_dir_all(folder)?;
            fs::write(&library, LIBRARY)?;
            Page::create(&folder.join("clock"))
        };
        let page = write().map_err(|error| format!("no clocks: {error}"))?;
        Ok(NodeClock { library, page: Mutex::new(page) })
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is added to the environment of the node's program, given what it has there already.
    pub(in crate::environments) fn environment(
        &self,
        daemon: Option<&Daemon>,
    ) -> [(&'static str, String); 2] {
        let own = daemon.into_iter().flat_map(|daemon| &daemon.env);
        let own = own.rev().find(|(name, _)| name == "LD_PRELOAD").map(|(_, value)| value.clone());
        let inherited = daemon.and_then(|_| std::env::var("LD_PRELOAD").ok());
        let ours = self.library.display().to_string();
        let preload = match own.or(inherited).filter(|others| !others.is_empty()) {
            Some(others) => format!("{ours}:{others}"),
            None => ours,
        };
        [("LD_PRELOAD", preload), (PAGE_VARIABLE, self.page().path().display().to_string())]
    }

    /// Makes it deviate from now on; what it was told.
    ///
    /// # Errors
    /// The machine does not tell the time.
    pub(in crate::environments) fn set(&self, deviation: &Deviation) -> io::Result<Deviation> {
        let told = Deviation { since_ns: machine_ns()?, ..*deviation };
        self.page().set(&told);
        Ok(told)
    }

    /// What it is told.
    ///
    /// # Errors
    /// It is just being told something else.
    pub(in crate::environments) fn get(&self) -> io::Result<Deviation> {
        let half = || io::Error::other("what its clock is told is half written");
        self.page().get().ok_or_else(half)
    }

    /// A program that prints readings for a while.
    ///
    /// # Errors
    /// This program is not found.
    pub(in crate::environments) fn teller(&self, during: Duration) -> io::Result<Command> {
        let mut teller = role(CLOCK, during.as_millis().to_string().as_ref())?;
        teller.envs(self.environment(None)).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(teller)
    }

    /// What it has printed.
    ///
    /// # Errors
    /// It is not what it prints.
    pub(in crate::environments) fn readings(said: &Output) -> io::Result<Vec<Reading>> {
        let lines = said.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
    }

    /// Those of these processes that live and do not have the library in them.
    pub(in crate::environments) fn unreached(&self, pids: impl Iterator<Item = i32>) -> Vec<i32> {
        let library = self.library.display().to_string();
        let unreached = |pid: &i32| {
            // Of a process that has ended meanwhile there is nothing to read.
            let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            !maps.is_empty() && !maps.contains(&library)
        };
        pids.filter(unreached).collect()
    }
}
