//! What the nemesis can do to hosts: every act and observation is the guard's, on the spot.

use std::io;
use std::time::Duration;

use splitbrain_nemesis::node::{
    Capability, Cluster, DropRule, Link, Links, NodeError, ProcessState, Processes, Signal,
};

use super::protocol::Ask;
use super::{SshCluster, in_parallel};

fn told<T>(result: io::Result<T>) -> Result<T, NodeError> {
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

    fn lacks(&self, capability: Capability) -> String {
        format!("the environment ssh has no {capability}")
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
