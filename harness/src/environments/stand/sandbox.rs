//! The harness's own stand: a keeper, a journal and, where one can be had, a network namespace
//! without a way out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use splitbrain_nemesis::journal::{self, Entry, Journal, Mark, ProcessId, remove_listed};

use super::companion;
use super::keeper::{Keeper, Kept};
use super::namespaces::{Entrance, explain};

/// Why a sandbox cannot be entered.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It must be done before the program makes threads.
    #[error("a sandbox must be entered while the program has one thread; it has {0}")]
    Threads(usize),
    /// The machine gives this user no network namespace.
    #[error("no network namespace can be had: {why}\n  to change that: {remedy}")]
    Denied {
        /// The reason as far as it can be found out.
        why: String,
        /// What helps: a command, or what to run it in.
        remedy: String,
    },
    /// A step failed.
    #[error("{what}: {source}")]
    Failed {
        /// The step.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// A process that has entered its sandbox: every socket that it opens from now on is inside, and
/// nothing that it makes in the network outlives it.
#[derive(Debug)]
pub struct Sandbox {
    run: String,
    keeper: Mutex<Keeper>,
    journal: Mutex<Journal>,
    directory: PathBuf,
}

impl Sandbox {
    /// Moves the whole process to a network namespace of its own and starts the keeper. `run` is
    /// a name that no other run has: letters, digits, `.`, `_` and `-`.
    ///
    /// # Errors
    /// See [`SandboxError`]; the process may then be in a namespace already, and should end.
    pub fn enter(run: &str) -> Result<Sandbox, SandboxError> {
        Sandbox::stand(run, Kept::ByNamespace)
    }

    /// The same without any namespace: this process stays where it is, and the nodes' processes
    /// are held together by a mark in their environment alone.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn outside(run: &str) -> Result<Sandbox, SandboxError> {
        Sandbox::stand(run, Kept::ByMark)
    }

    fn stand(run: &str, kept: Kept) -> Result<Sandbox, SandboxError> {
        let failed = |what| move |source| SandboxError::Failed { what, source };
        if !is_name(run) {
            let source = io::Error::from(io::ErrorKind::InvalidInput);
            return Err(failed("the name of the run")(source));
        }
        let threads = fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        if threads != 1 {
            return Err(SandboxError::Threads(threads));
        }
        let folder = journal::folder().map_err(failed("the folder of the journals"))?;
        if kept == Kept::ByNamespace {
            Entrance::prepare().enter().map_err(|error| {
                let (why, remedy) = explain(&error);
                SandboxError::Denied { why, remedy }
            })?;
        }
        // The keeper first: from here on there is somebody to undo what is made.
        let keeper = Keeper::start(&folder.join(format!("{run}.jsonl")), kept)
            .map_err(failed("starting the keeper"))?;
        let journal = Journal::create(&folder, run).map_err(failed("making the journal"))?;
        let process = keeper.process();
        // From here on a failure undoes what there is, even if the keeper has been killed.
        let sandbox = Sandbox {
            run: run.to_owned(),
            keeper: Mutex::new(keeper),
            journal: Mutex::new(journal),
            directory: folder.join(run),
        };
        let make_entries = || {
            if let Some(process) = process {
                sandbox.record_process(process, "keeper")?;
            }
            if kept == Kept::ByMark {
                sandbox.record(&Entry::Marked(sandbox.mark()))?;
            }
            sandbox.remove_at_end(&sandbox.directory)?;
            fs::create_dir(&sandbox.directory)
        };
        make_entries().map_err(failed("making the folder of the run"))?;
        let namespace = (kept == Kept::ByNamespace).then(|| sandbox.pid_namespace()).transpose();
        companion::open(namespace.map_err(failed("the keeper's namespace"))?, sandbox.mark());
        Ok(sandbox)
    }

    /// Name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// What processes of the run carry that no namespace holds.
    pub(in crate::environments) fn mark(&self) -> Mark {
        Mark { run: self.run.clone(), node: None }
    }

    /// A folder of the run's own, which is removed with all its content at the end.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the keeper still stands by. Once it does not, the nodes' programs are dead.
    pub fn keeper_is_alive(&self) -> bool {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).is_alive()
    }

    /// Has a folder removed at the end; to be called before it is made.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn remove_at_end(&self, directory: &Path) -> io::Result<()> {
        let absolute = std::path::absolute(directory)?;
        self.record(&Entry::Directory(absolute))
    }

    pub(in crate::environments) fn record_process(
        &self,
        process: ProcessId,
        what: &str,
    ) -> io::Result<()> {
        self.record(&Entry::Process { process, what: what.to_owned() })
    }

    pub(in crate::environments) fn record_cgroup(&self, path: &Path) -> io::Result<()> {
        self.record(&Entry::Cgroup(path.to_owned()))
    }

    /// Lists one more thing; to be called before it is made.
    pub(in crate::environments) fn record(&self, entry: &Entry) -> io::Result<()> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).record(entry)
    }

    pub(in crate::environments) fn pid_namespace(&self) -> io::Result<fs::File> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).pid_namespace()
    }

    /// Ends the keeper and with it all that the journal lists; what is left, for a person.
    /// Every program started in the sandbox must have ended and been waited for.
    pub(in crate::environments) fn finish(&self) -> Vec<String> {
        companion::close();
        let mut left = Vec::new();
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let keeper_end = keeper.finish();
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        // The keeper has done it, unless somebody killed it.
        if let Err(error) = remove_listed(journal.path()) {
            left.push(format!("what {} lists: {error}", journal.path().display()));
            left.extend(keeper_end.err().map(|error| error.to_string()));
        }
        left
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.finish();
    }
}

fn is_name(run: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !run.is_empty() && run.len() <= 128 && !run.starts_with('.') && run.chars().all(allowed)
}
