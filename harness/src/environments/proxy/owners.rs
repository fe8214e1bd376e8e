//! Which node began a connection, for systems whose nodes must all be told the same address of a
//! node: then the port by which somebody comes does not say who it is, but the kernel does.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use splitbrain_nemesis::journal::{Mark, ProcessId};
use tokio::net::TcpStream;

use super::sockets::name_of;

/// Who holds the nodes' sockets.
#[derive(Clone)]
pub(super) struct Owners {
    /// The mark of the run.
    run: Mark,
    /// The names of the nodes, in order.
    names: Arc<[String]>,
    /// The nodes' processes as they were last found, since a search takes milliseconds.
    known: Arc<Mutex<Vec<(usize, ProcessId)>>>,
}

impl Owners {
    /// Of the nodes of these names in the run that has the mark.
    pub(super) fn new(run: Mark, names: &[String]) -> Owners {
        Owners { run, names: names.into(), known: Arc::default() }
    }

    /// The node one of whose processes holds the other end of a connection to us.
    pub(super) async fn of(&self, ours: &TcpStream) -> Option<usize> {
        let ends = (ours.peer_addr().ok()?, ours.local_addr().ok()?);
        let owners = self.clone();
        tokio::task::spawn_blocking(move || owners.holder(&name_of(ends.0, ends.1)?)).await.ok()?
    }

    fn holder(&self, socket: &Path) -> Option<usize> {
        // One search serves all who wait for it.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |known: &[(usize, ProcessId)]| {
            let holder = known.iter().find(|(_, of)| holds(of.pid, socket) && of.is_alive());
            holder.map(|(node, _)| *node)
        };
        find(&known).or_else(|| {
            known.clear();
            for (pid, name) in self.run.processes_of_run().unwrap_or_default() {
                let node = self.names.iter().position(|node| *node == name);
                known.extend(node.zip(ProcessId::of(pid)));
            }
            find(&known)
        })
    }
}

fn holds(pid: i32, socket: &Path) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|held| held == socket))
}
