//! What the nemesis can do to hosts: every act and observation is the guard's, on the spot.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use splitbrain_nemesis::Members;
use splitbrain_nemesis::clock::Clocks;
use splitbrain_nemesis::node::{
    Capability, Cluster, DropRule, Link, Links, NodeError, ProcessState, Processes, Signal,
};

use super::protocol::Ask;
use super::{PROGRAM, SshCluster, in_parallel};
use crate::environments::{Daemon, EnvError, Hosts, Leftovers, Member};

pub(super) fn told<T>(result: io::Result<T>) -> Result<T, NodeError> {
    result.map_err(|error| NodeError(error.to_string()))
}

impl Cluster for SshCluster {
    fn nodes(&self) -> &[String] {
        &self.names
    }

    fn links(&self) -> Option<&dyn Links> {
        Some(self)
    }

    fn processes(&self) -> Option<&dyn Processes> {
        Some(self)
    }

    fn members(&self) -> Option<&dyn Members> {
        self.members.get().map(AsRef::as_ref)
    }

    fn clocks(&self) -> Option<&dyn Clocks> {
        matches!(self.clocks.get(), Some(Ok(()))).then_some(self)
    }

    fn lacks(&self, capability: Capability) -> String {
        let clocks = self.clocks.get().and_then(|clocks| clocks.as_ref().err());
        match (capability, clocks) {
            (Capability::Clocks, Some(why)) => why.clone(),
            _ => lacks(capability).unwrap_or_else(|| format!("no {capability}")),
        }
    }
}

/// Why this can never be had of hosts, if it cannot.
pub(crate) fn lacks(capability: Capability) -> Option<String> {
    match capability {
        Capability::Links | Capability::Processes | Capability::Members | Capability::Clocks => {
            None
        }
        other => Some(format!("the environment ssh has no {other}")),
    }
}

impl Hosts for SshCluster {
    fn told_to(&self, _viewer: usize, usual_ports: &[u16]) -> Vec<Member> {
        Member::at_usual_ports(self.nodes(), usual_ports)
    }

    fn clients_reach(&self, node: usize, usual_ports: &[u16]) -> SocketAddr {
        (self.nodes()[node].address, usual_ports[0]).into()
    }

    fn folder_there(&self, node: usize, _here: &Path) -> PathBuf {
        self.folder(node).join("node")
    }

    fn program_there(&self, node: usize, _here: &Path) -> PathBuf {
        self.folder(node).join(PROGRAM)
    }

    /// The run's whole folder is removed there.
    fn remove_at_end(&self, _directory: &Path) -> Result<(), EnvError> {
        Ok(())
    }

    fn install(&self, daemons: Vec<Daemon>) -> Result<(), EnvError> {
        SshCluster::install(self, daemons)
    }

    fn replace(&self, node: usize, daemon: Daemon) -> Result<(), EnvError> {
        let replaced = self.ask(node, Ask::Replace(Box::new(daemon)));
        replaced.map_err(EnvError::failed(format!("replacing {}", self.nodes()[node].name)))
    }

    fn attach(&self, needed: &[Capability], _data: &[PathBuf]) {
        if needed.contains(&Capability::Clocks) {
            self.attach_clocks();
        }
    }

    fn administer(&self, members: Box<dyn Members>) {
        let _ = self.members.set(members);
    }

    fn launch(&self, node: usize) -> Result<(), EnvError> {
        SshCluster::start(self, node)
    }

    fn exited(&self) -> Vec<(usize, String)> {
        SshCluster::exited(self)
    }

    fn is_guarded(&self) -> bool {
        SshCluster::is_guarded(self)
    }

    fn collect(&self, folder: &Path) -> Vec<String> {
        self.collect_logs(|node, log| {
            folder.join(node).join(log.file_name().unwrap_or(log.as_os_str()))
        })
    }

    fn remedy(&self) -> &'static str {
        ""
    }

    fn tear_down(&self) -> Leftovers {
        Leftovers(SshCluster::tear_down(self))
    }
}

impl Links for SshCluster {
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError> {
        let blocked = in_parallel(senders_at, |_, (node, senders)| {
            self.ask(*node, Ask::Block(senders.clone()))
        });
        told(blocked.into_iter().collect())
    }

    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError> {
        let found = in_parallel(nodes, |_, to| {
            let rules: Vec<(usize, u64)> = self.ask(*to, Ask::Rules)?;
            let at = |(from, packets)| DropRule { link: Link { from, to: *to }, packets };
            Ok(rules.into_iter().map(at).collect::<Vec<_>>())
        });
        let found = told(found.into_iter().collect::<io::Result<Vec<_>>>())?;
        Ok(found.into_iter().flatten().collect())
    }

    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError> {
        self.probes.send(nonce, links);
        let from = |node: usize| links.iter().filter(move |link| link.from == node);
        let senders: Vec<usize> =
            (0..self.names.len()).filter(|node| from(*node).next().is_some()).collect();
        let sent = in_parallel(&senders, |_, node| {
            self.ask(*node, Ask::Probe { nonce, to: from(*node).map(|link| link.to).collect() })
        });
        told(sent.into_iter().collect())
    }

    fn arrived(&self, nonce: u64, wait: Duration) -> Result<Vec<Link>, NodeError> {
        let wait_ms = wait.as_millis() as u64;
        let come = in_parallel(&self.names, |to, _| {
            let senders: Vec<usize> = self.ask(to, Ask::Arrived { nonce, wait_ms })?;
            Ok(senders.into_iter().map(|from| Link { from, to }).collect::<Vec<_>>())
        });
        let come = told(come.into_iter().collect::<io::Result<Vec<_>>>())?;
        Ok(come.into_iter().flatten().collect())
    }
}

impl Processes for SshCluster {
    fn signal(&self, node: usize, signal: Signal) -> Result<(), NodeError> {
        told(self.ask(node, Ask::Signal(signal)))
    }

    fn states(&self, node: usize) -> Result<Vec<ProcessState>, NodeError> {
        told(self.ask(node, Ask::States))
    }

    fn start(&self, node: usize) -> Result<(), NodeError> {
        SshCluster::start(self, node).map_err(|error| NodeError(error.to_string()))
    }
}
