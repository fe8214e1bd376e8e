//! A thread that lives in the network namespace of one node, and does there what it is asked.
//!
//! The namespace has no name anywhere: it is there because the thread is. What the thread starts
//! is born in the node's network namespace and in the keeper's PID namespace, without any code
//! between fork and exec.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::gettid;
use splitbrain_nemesis::node::ProcessState;

use super::topology::without_ipv6;
use crate::environments::stand::state_of;

type Job = Box<dyn FnOnce() + Send>;

/// The harness's handle on a node's thread; the thread ends when this is dropped.
pub(super) struct Agent {
    jobs: mpsc::Sender<Job>,
    namespace: PathBuf,
    namespace_inode: u64,
}

/// What an agent was asked and has not answered yet.
pub(super) struct Answer<T>(mpsc::Receiver<io::Result<T>>);

impl<T> Answer<T> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// The work failed, or the thread is gone.
    pub(super) fn wait(self) -> io::Result<T> {
        self.0.recv().unwrap_or_else(|_| Err(io::Error::other("the node's thread is gone")))
    }
}

impl Agent {
    /// Makes a namespace and the thread that lives in it.
    ///
    /// # Errors
    /// The kernel gives no namespace, or the keeper is gone.
    pub(super) fn start(name: &str, pid_namespace: &Arc<File>) -> io::Result<Agent> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (report, reported) = mpsc::channel();
        let pid_namespace = Arc::clone(pid_namespace);
        thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(move || {
            let moved = enter(&pid_namespace);
            drop(pid_namespace);
            let settled = moved.is_ok();
            if report.send(moved).is_ok() && settled {
                todo.into_iter().for_each(|job| job());
            }
        })?;
        let namespace = Answer(reported).wait()?;
        let namespace_inode = inode(&namespace)?;
        Ok(Agent { jobs, namespace, namespace_inode })
    }

    /// Has the thread do some work; others can be asked while it does.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (answer, answered) = mpsc::channel();
        // Whoever no longer waits does not want the answer; a thread that is gone drops the job,
        // and with it the sender, which the waiting side sees.
        let _ = self.jobs.send(Box::new(move || drop(answer.send(work()))));
        Answer(answered)
    }

    /// A file that stands for the node's network namespace.
    pub(super) fn namespace(&self) -> &Path {
        &self.namespace
    }

    /// The living processes in the namespace, found by `/proc`, whoever started them.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub(super) fn processes(&self) -> io::Result<Vec<ProcessState>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Of a process that is dying, or is another user's, the namespace cannot be read.
            let namespace = inode(&entry.path().join("ns/net"));
            if namespace.is_ok_and(|inode| inode == self.namespace_inode) {
                found.push(state_of(pid));
            }
        }
        Ok(found)
    }
}

/// Has a command, which a node's agent is to start, run in the harness's network, so that it is
/// not taken for a process of the node. Its other namespaces are the node's.
pub(super) fn in_hub(command: &mut Command) -> io::Result<&mut Command> {
    // Of the thread that began the process, which is the one that entered the sandbox.
    let hub = File::open("/proc/self/ns/net")?;
    // SAFETY: between fork and exec only one system call is made.
    unsafe {
        command.pre_exec(move || setns(&hub, CloneFlags::CLONE_NEWNET).map_err(Into::into));
    }
    Ok(command)
}

/// The inode number of a namespace file, which tells namespaces apart (namespaces(7)).
fn inode(namespace: &Path) -> io::Result<u64> {
    Ok(fs::metadata(namespace)?.ino())
}

fn enter(pid_namespace: &File) -> io::Result<PathBuf> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    without_ipv6();
    // Of a PID namespace only future children become members.
    setns(pid_namespace, CloneFlags::CLONE_NEWPID)?;
    Ok(format!("/proc/{}/task/{}/ns/net", std::process::id(), gettid()).into())
}
