//! Killing, stopping and starting nodes, and seeing that it is so.

use std::thread;
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::node::{NodeError, ProcessState, Processes, Signal};

/// How long to wait before looking again.
const LOOK_AFTER: Duration = Duration::from_millis(1);

impl Nemesis {
    /// Skips if not one of the nodes has a process that could be hit.
    pub(super) fn living(&self, nodes: &[usize]) -> Result<(), Trouble> {
        for node in nodes {
            if !self.process_control()?.states(*node)?.is_empty() {
                return Ok(());
            }
        }
        let names: Vec<_> = nodes.iter().map(|node| self.name(*node)).collect();
        Err(Trouble::Skip(format!("no process runs on {}", names.join(", "))))
    }

    pub(super) fn kill(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        self.signal_until(nodes, Signal::Kill, "still runs", |_| false, deadline)
    }

    pub(super) fn end(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        self.signal_until(nodes, Signal::End, "has not ended", |_| false, deadline)
    }

    pub(super) fn pause(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        self.signal_until(nodes, Signal::Stop, "is not stopped", |p| p.stopped, deadline)
    }

    pub(super) fn resume(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        self.signal_until(nodes, Signal::Continue, "is still stopped", |p| !p.stopped, deadline)
    }

    /// Looks whether every living process of the nodes is as wanted.
    pub(super) fn all_are(
        &self,
        nodes: &[usize],
        otherwise: &str,
        as_wanted: impl Fn(&ProcessState) -> bool,
    ) -> Result<(), Trouble> {
        let control = self.process_control()?;
        for node in nodes {
            if !control.states(*node)?.iter().all(&as_wanted) {
                return Err(self.unknown(*node, otherwise));
            }
        }
        Ok(())
    }

    /// Starts the nodes that are down; one that was started already by somebody is as it should be.
    /// One that ends again is not, unless a fault has been at its disk: then it may be the system's
    /// own way to say that it cannot go on from there.
    pub(super) fn restart(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        let control = self.process_control()?;
        for node in nodes {
            if control.states(*node)?.is_empty() {
                control.start(*node)?;
            }
        }
        let (mut processes, mut ended) = (0, 0);
        for node in nodes {
            processes += loop {
                match control.states(*node)?.len() {
                    0 if Instant::now() > deadline && self.harmed.contains(node) => {
                        ended += 1;
                        break 0;
                    }
                    0 if Instant::now() > deadline => {
                        return Err(self.unknown(*node, "has ended again"));
                    }
                    0 => thread::sleep(LOOK_AFTER),
                    count => break count,
                }
            };
        }
        Ok(Proof { processes, ended, ..Proof::default() })
    }

    /// Sends a signal to all processes of the nodes, again and again, since a process can make
    /// another one in between, until every one that lives is as wanted.
    fn signal_until(
        &self,
        nodes: &[usize],
        signal: Signal,
        otherwise: &str,
        as_wanted: impl Fn(&ProcessState) -> bool,
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let control = self.process_control()?;
        let mut processes = 0;
        for node in nodes {
            processes += control.states(*node)?.len();
            control.signal(*node, signal)?;
        }
        for node in nodes {
            while !control.states(*node)?.iter().all(&as_wanted) {
                if Instant::now() > deadline {
                    return Err(self.unknown(*node, otherwise));
                }
                thread::sleep(LOOK_AFTER);
                control.signal(*node, signal)?;
            }
        }
        Ok(Proof { processes, ..Proof::default() })
    }

    fn process_control(&self) -> Result<&dyn Processes, NodeError> {
        self.cluster.processes().ok_or_else(|| NodeError("no processes".to_owned()))
    }

    pub(super) fn unknown(&self, node: usize, what: &str) -> Trouble {
        Trouble::Unknown(format!("{} {what}", self.name(node)))
    }
}
