//! What the nemesis can do to local nodes.

use std::error::Error;
use std::time::Duration;

use splitbrain_nemesis::clock::Clocks;
use splitbrain_nemesis::disk::Disks;
use splitbrain_nemesis::iptables;
use splitbrain_nemesis::node::{
    Capability, Cluster, DropRule, Limits, Link, Links, Members, NodeError, ProcessState,
    Processes, Signal,
};
use splitbrain_nemesis::shaping::Shaping;

use super::{LocalCluster, lock_file, restore_rules, wait_all};

pub(super) fn node_error(error: impl Into<Box<dyn Error>>) -> NodeError {
    NodeError(error.into().to_string())
}

impl Cluster for LocalCluster {
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
        self.shapers().is_ok().then_some(self)
    }

    fn limits(&self) -> Option<&dyn Limits> {
        matches!(self.cgroups.get(), Some(Ok(_))).then_some(self as &dyn Limits)
    }

    fn clocks(&self) -> Option<&dyn Clocks> {
        matches!(self.clocks.get(), Some(Ok(_))).then_some(self)
    }

    fn disks(&self) -> Option<&dyn Disks> {
        matches!(self.disks.get(), Some(Ok(_))).then_some(self)
    }

    fn members(&self) -> Option<&dyn Members> {
        self.members.get().map(|members| &**members)
    }

    fn lacks(&self, capability: Capability) -> String {
        let why = match capability {
            Capability::Shaping | Capability::Packets => {
                self.shapers().err().map(|why| format!("no {capability}: {why}"))
            }
            Capability::Limits => {
                let why = self.cgroups.get().and_then(|groups| groups.as_ref().err());
                why.map(|why| format!("no cgroups: {why}"))
            }
            Capability::Clocks => {
                self.clocks.get().and_then(|clocks| clocks.as_ref().err().cloned())
            }
            Capability::Disks => self.disks.get().and_then(|disks| disks.as_ref().err().cloned()),
            _ => None,
        };
        why.unwrap_or_else(|| format!("no {capability}"))
    }
}

impl Links for LocalCluster {
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError> {
        let changes = senders_at.iter().map(|(node, senders)| {
            let addresses: Vec<_> = senders.iter().map(|s| self.senders[*s]).collect();
            let rules = iptables::rules_text(&addresses);
            let lock = lock_file(&self.sandbox, &self.names[*node]);
            let restore = self.firewall.restore.clone();
            self.nodes[*node].agent.ask(move || restore_rules(&restore, lock.as_ref(), &rules))
        });
        wait_all(changes.collect()).map(drop).map_err(node_error)
    }

    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError> {
        let listings = nodes.iter().map(|node| {
            let save = self.firewall.save.clone();
            self.nodes[*node].agent.ask(move || save.run(&["-c", "-t", "filter"], &[], ""))
        });
        let listings = wait_all(listings.collect()).map_err(node_error)?;
        let mut rules = Vec::new();
        for (to, listing) in nodes.iter().zip(listings) {
            for (sender, packets) in iptables::parse_counters(&listing).map_err(node_error)? {
                let from = self.senders.iter().position(|address| *address == sender);
                let from =
                    from.ok_or_else(|| node_error(format!("there is a rule for {sender}")))?;
                rules.push(DropRule { link: Link { from, to: *to }, packets });
            }
        }
        Ok(rules)
    }

    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError> {
        self.probes.send(nonce, links);
        Ok(())
    }

    fn arrived(&self, nonce: u64, wait: Duration) -> Result<Vec<Link>, NodeError> {
        self.probes.arrived(nonce, wait).map_err(node_error)
    }
}

impl Processes for LocalCluster {
    fn signal(&self, node: usize, signal: Signal) -> Result<(), NodeError> {
        // Held while signalling, so that nobody waits for the program meanwhile and its number
        // stays its own. Its children's could be given away between the listing and the signal,
        // but the kernel hands out all other numbers before it comes to one again.
        let mut program = self.nodes[node].program();
        program.signal(&self.processes_of(node)?, signal).map_err(node_error)
    }

    fn states(&self, node: usize) -> Result<Vec<ProcessState>, NodeError> {
        self.processes_of(node)
    }

    fn start(&self, node: usize) -> Result<(), NodeError> {
        LocalCluster::start(self, node).map_err(node_error)
    }
}

impl LocalCluster {
    pub(super) fn processes_of(&self, node: usize) -> Result<Vec<ProcessState>, NodeError> {
        self.nodes[node].agent.processes().map_err(node_error)
    }
}
