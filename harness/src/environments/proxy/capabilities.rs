//! What the nemesis can do to nodes behind proxies.

use std::time::Duration;

use splitbrain_nemesis::node::{
    Capability, Cluster, DropRule, Link, Links, Members, NodeError, ProcessState, Processes, Signal,
};

use splitbrain_nemesis::shaping::{Probe, Shaping};

use super::ProxyCluster;
use crate::environments::Hosts;
use crate::environments::stand::state_of;

fn node_error(error: impl Into<Box<dyn std::error::Error>>) -> NodeError {
    NodeError(error.into().to_string())
}

impl Cluster for ProxyCluster {
    fn nodes(&self) -> &[String] {
        &self.names
    }

    fn links(&self) -> Option<&dyn Links> {
        Some(self)
    }

    fn processes(&self) -> Option<&dyn Processes> {
        Some(self)
    }

    fn shaping(&self) -> Option<&dyn Shaping> {
        Some(self)
    }

    fn members(&self) -> Option<&dyn Members> {
        self.members.get().map(|members| &**members)
    }

    fn lacks(&self, capability: Capability) -> String {
        lacks(capability).unwrap_or_else(|| format!("no {capability}"))
    }
}

/// Why faults that need `capability` cannot be had in this environment; nothing if they can.
pub(crate) fn lacks(capability: Capability) -> Option<String> {
    let why = match capability {
        Capability::Links | Capability::Processes | Capability::Shaping | Capability::Members => {
            return None;
        }
        Capability::Packets => "proxies carry streams, of which nothing is lost or changed",
        Capability::Limits | Capability::Clocks | Capability::Disks => {
            "the nodes are ordinary processes of this user"
        }
    };
    Some(format!("no {capability} in the environment proxy: {why}"))
}

impl Links for ProxyCluster {
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError> {
        for (to, senders) in senders_at {
            for (link, way) in self.wiring.shared.ways.to(*to) {
                if senders.contains(&link.from) { way.cut() } else { way.open() }
            }
        }
        Ok(())
    }

    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError> {
        let ways = nodes.iter().flat_map(|to| self.wiring.shared.ways.to(*to));
        Ok(ways
            .filter_map(|(link, way)| way.stopped().map(|packets| DropRule { link, packets }))
            .collect())
    }

    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError> {
        let probe = |link: &Link| Probe { link: *link, number: 0, bytes: 0 };
        self.send_probes(nonce, links.iter().map(probe));
        Ok(())
    }

    fn arrived(&self, nonce: u64, wait: Duration) -> Result<Vec<Link>, NodeError> {
        let arrived = self.wiring.shared.arrivals.take(nonce, wait);
        Ok(arrived.iter().map(|arrival| arrival.link).collect())
    }
}

impl Processes for ProxyCluster {
    fn signal(&self, node: usize, signal: Signal) -> Result<(), NodeError> {
        // Held while signalling, so that nobody waits for the program meanwhile and its number
        // stays its own.
        let mut program = self.nodes[node].program();
        program.signal(&self.states(node)?, signal).map_err(node_error)
    }

    fn states(&self, node: usize) -> Result<Vec<ProcessState>, NodeError> {
        let processes = self.nodes[node].mark.processes().map_err(node_error)?;
        Ok(processes.into_iter().map(state_of).collect())
    }

    fn start(&self, node: usize) -> Result<(), NodeError> {
        self.launch(node).map_err(node_error)
    }
}
