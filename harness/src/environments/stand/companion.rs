//! Programs of the harness's own side, such as clients in other languages. They end with the run, as the
//! nodes do: they are born in the keeper's PID namespace or, where there is none, with the run's mark.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use splitbrain_nemesis::journal::Mark;

/// The stand of this process. A process has one, since it is the process that enters a sandbox.
static STAND: Mutex<Option<Stand>> = Mutex::new(None);

struct Stand {
    /// The keeper's, where it keeps by one.
    pid_namespace: Option<File>,
    mark: Mark,
    /// All that were started, as far as anybody still uses them.
    started: Vec<Weak<Companion>>,
}

/// From here on companions can be started.
pub(super) fn open(pid_namespace: Option<File>, mark: Mark) {
    *stand() = Some(Stand { pid_namespace, mark, started: Vec::new() });
}

/// Ends all companions, which the keeper could not end before they are waited for.
pub(super) fn close() {
    let started = stand().take().map(|stand| stand.started).unwrap_or_default();
    for companion in started.iter().filter_map(Weak::upgrade) {
        let _ = companion.end();
    }
}

/// A program beside the harness. It ends when this is dropped.
pub(crate) struct Companion {
    child: Mutex<Child>,
}

impl Companion {
    /// Starts a program; its streams can be taken from the child once.
    ///
    /// # Errors
    /// It cannot be executed, or this process stands nowhere.
    pub(crate) fn start(mut command: Command) -> io::Result<Arc<Companion>> {
        let mut stand = stand();
        let stand = stand.as_mut().ok_or_else(|| io::Error::other("there is nobody to end it"))?;
        command.env(Mark::VARIABLE, stand.mark.value()).process_group(0);
        let child = match &stand.pid_namespace {
            None => command.spawn()?,
            // Of a PID namespace only children of a thread that has entered it become members.
            Some(namespace) => thread::scope(|scope| {
                let born = scope.spawn(|| {
                    setns(namespace, CloneFlags::CLONE_NEWPID)?;
                    command.spawn()
                });
                born.join().unwrap_or_else(|_| Err(io::Error::other("its thread has panicked")))
            })?,
        };
        let companion = Arc::new(Companion { child: Mutex::new(child) });
        stand.started.retain(|started| started.strong_count() > 0);
        stand.started.push(Arc::downgrade(&companion));
        Ok(companion)
    }

    /// The process, for its streams.
    pub(crate) fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills it and what it has started, unless it has ended, and waits for it: how it ended.
    ///
    /// # Errors
    /// It is not there any more.
    pub(crate) fn end(&self) -> io::Result<ExitStatus> {
        let mut child = self.child();
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        // Not waited for yet, so the number is still its own.
        let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        child.wait()
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn stand() -> MutexGuard<'static, Option<Stand>> {
    STAND.lock().unwrap_or_else(PoisonError::into_inner)
}
