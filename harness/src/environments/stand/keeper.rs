//! The keeper: the process that cleans up when the harness cannot.
//!
//! It is the first process of a PID namespace in which all nodes' programs live, and it waits for
//! the end of a line to the harness. Whatever ends the harness, SIGKILL included, ends the line;
//! the keeper then kills what it keeps, removes what the journal lists and exits. If the keeper
//! itself dies, the kernel kills all processes of its namespace at once (pid_namespaces(7)).
//! Network namespaces, interfaces and firewall rules belong to no file and die with the processes.
//!
//! Where no PID namespace can be had, the keeper is an ordinary process, and what it kills is
//! what the journal lists by its mark.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, clone};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, close, dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use splitbrain_nemesis::journal::{ProcessId, remove_listed};

/// How long the keeper waits for what it killed. Not longer, since what it sees may be dead and
/// only not waited for by whoever inherited it, which is for some first processes a slow business.
const DEATH_LIMIT: Duration = Duration::from_millis(500);
/// How long a child of the harness may take from its fork until its mark can be seen.
const MARK_LIMIT: Duration = Duration::from_millis(200);
/// How long the harness waits for the keeper.
const FINISH_LIMIT: Duration = Duration::from_secs(8);
const STACK_BYTES: usize = 512 * 1024;
const READY: u8 = b'r';
/// What the harness says before it hangs up in order: that it starts nothing any more.
const DONE: u8 = b'd';

/// What holds together the processes that the keeper is to kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A PID namespace of which it is the first process.
    ByNamespace,
    /// A mark, which the journal lists.
    ByMark,
}

/// The harness's end of the line.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: Pid,
    /// Held open as long as the keeper is to wait; nobody else holds it (close-on-exec).
    line: Option<UnixStream>,
    pid_namespace: PathBuf,
}

impl Keeper {
    /// Forks the keeper, which will undo `journal`; the file need not be there yet. To be called
    /// while the process has one thread, and in the namespaces that the keeper is to share.
    ///
    /// # Errors
    /// The kernel gives no PID namespace, or the keeper could not begin its work.
    pub(super) fn start(journal: &Path, kept: Kept) -> io::Result<Keeper> {
        let (mut ours, theirs) = UnixStream::pair()?;
        let their_fd = theirs.as_raw_fd();
        let mut stack = vec![0; STACK_BYTES];
        let keep = Box::new(move || keep(their_fd, journal, kept));
        let flags = match kept {
            Kept::ByNamespace => CloneFlags::CLONE_NEWPID,
            Kept::ByMark => CloneFlags::empty(),
        };
        // SAFETY: without CLONE_VM the child gets a copy of everything, the stack included, as
        // from fork(2). There is one thread only, so no lock is held by another one in that copy,
        // and the child may allocate.
        let child = unsafe { clone(keep, &mut stack, flags, Some(Signal::SIGCHLD as i32)) };
        let pid = child?;
        drop(theirs);
        let mut answer = [0];
        ours.read_exact(&mut answer)?;
        ours.set_nonblocking(true)?;
        Ok(Keeper { pid, line: Some(ours), pid_namespace: format!("/proc/{pid}/ns/pid").into() })
    }

    /// Which process it is.
    pub(super) fn process(&self) -> Option<ProcessId> {
        ProcessId::of(self.pid.as_raw())
    }

    /// The PID namespace in which the nodes' programs are to live.
    ///
    /// # Errors
    /// The keeper is gone.
    pub(super) fn pid_namespace(&self) -> io::Result<File> {
        File::open(&self.pid_namespace)
    }

    /// Whether it still stands by. It never writes, so all that can be read is its end.
    pub(super) fn is_alive(&self) -> bool {
        self.line.as_ref().is_some_and(|mut line| {
            let error = line.read(&mut [0]).err();
            error.is_some_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        })
    }

    /// Lets the keeper do its work and waits for its end. Every program that this process started
    /// in the PID namespace must have been waited for, or the keeper cannot end.
    ///
    /// # Errors
    /// It was killed, could not remove everything, or does not end.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some(mut line) = self.line.take() else { return Ok(()) };
        // A keeper that is gone does not hear it.
        let _ = line.write_all(&[DONE]);
        drop(line);
        let until = Instant::now() + FINISH_LIMIT;
        loop {
            return match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) if Instant::now() < until => {
                    thread::sleep(Duration::from_millis(1));
                    continue;
                }
                Ok(WaitStatus::Exited(_, 0)) | Err(Errno::ECHILD) => Ok(()),
                Ok(end) => Err(io::Error::other(format!("the keeper ended badly: {end:?}"))),
                Err(error) => Err(error.into()),
            };
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// The life of the keeper; its exit status.
fn keep(our_end: RawFd, journal: &Path, kept: Kept) -> isize {
    let Ok(mut line) = settle(our_end) else { return 2 };
    if line.write_all(&[READY]).is_err() {
        return 2;
    }
    let mut last_word = [0];
    while !matches!(line.read(&mut last_word), Ok(0)) {}
    match kept {
        Kept::ByNamespace => kill_all_kept(),
        Kept::ByMark if last_word == [DONE] => {}
        Kept::ByMark => thread::sleep(MARK_LIMIT),
    }
    // The programs that undo things are waited for.
    // SAFETY: the default runs no code of ours.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    match remove_listed(journal) {
        Ok(()) => 0,
        Err(_) => 1, // the journal stays, for `heal`
    }
}

/// Cuts every tie to the terminal and the files of the harness: a pipe that its output goes to
/// must end with the harness, not with the keeper.
fn settle(our_end: RawFd) -> io::Result<UnixStream> {
    setsid()?;
    prctl::set_name(c"splitbrain-keep")?;
    for ignored in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { signal(ignored, SigHandler::SigIgn) }?;
    }
    // SAFETY: as above. With SIGCHLD ignored the kernel reaps what is orphaned in the namespace.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    drop(null);
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2 && *fd != our_end) {
        // One of them was that of the listing itself; the rest are copies of the harness's.
        let _ = close(fd);
    }
    std::env::set_current_dir("/")?;
    // SAFETY: in this copy of the process nothing else owns the descriptor: the owner of the
    // original is on a stack that this process never returns to.
    Ok(unsafe { UnixStream::from_raw_fd(our_end) })
}

/// Kills all other processes of the namespace and waits until they are gone, so that none makes a
/// file where one is just removed.
fn kill_all_kept() {
    let until = Instant::now() + DEATH_LIMIT;
    let everyone = Pid::from_raw(-1);
    while kill(everyone, Signal::SIGKILL) != Err(Errno::ESRCH) && Instant::now() < until {
        thread::sleep(Duration::from_millis(2));
    }
}
