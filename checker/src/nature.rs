//! What a fault was for those who talk to each other: a partition, or only a bad network.
//!
//! In a *partition* no message crosses from one set of nodes to another, in either direction
//! (Gilbert and Lynch 2002). Where some node can still be reached by all it is partial (Alquraan et
//! al. 2018); messages that are late but delivered, or lost now and then, are no partition.

use petgraph::unionfind::UnionFind;
use serde::Serialize;

use crate::faults::Fault;
use crate::history::NodeId;

/// What a fault was for those who talk to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// No message crossed between two sets of nodes.
    TotalPartition,
    /// Some links were cut, but messages could still come round by other nodes, or one way.
    PartialPartition,
    /// Nodes reached each other, clients did not reach all nodes.
    ClientsCutOff,
    /// Messages were lost, damaged, or their connections reset, now and then.
    LossyNetwork,
    /// Messages were late, out of order or sent twice, yet delivered: no partition.
    SlowNetwork,
    /// Nodes were hit themselves, not their links.
    Nodes,
    /// Nothing of that is known.
    Unknown,
}

impl Nature {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Nature::TotalPartition => "total partition",
            Nature::PartialPartition => "partial partition",
            Nature::ClientsCutOff => "clients cut off, nodes whole",
            Nature::LossyNetwork => "lossy network, no partition",
            Nature::SlowNetwork => "slow network, no partition",
            Nature::Nodes => "nodes hit, links whole",
            Nature::Unknown => "unknown",
        }
    }
}

impl Fault {
    /// What it was, in a cluster of so many nodes.
    pub fn nature(&self, nodes: usize) -> Nature {
        if self.islands(nodes).len() >= 2 {
            return Nature::TotalPartition;
        }
        if self.dead_links().next().is_some() {
            Nature::PartialPartition
        } else if self.cuts_clients {
            Nature::ClientsCutOff
        } else if ["loss ", "corrupt ", "reset "].iter().any(|what| self.quality.contains(what)) {
            Nature::LossyNetwork
        } else if !self.links.is_empty() {
            Nature::SlowNetwork
        } else if !self.targets.is_empty() {
            Nature::Nodes
        } else {
            Nature::Unknown
        }
    }

    /// The sets of nodes between which no message could cross, in the order of their first nodes;
    /// one or none if there was no such cut.
    pub(crate) fn islands(&self, nodes: usize) -> Vec<Vec<NodeId>> {
        let mut is_dead = vec![false; nodes * nodes];
        for (from, to) in self.dead_links() {
            is_dead[from.0 as usize * nodes + to.0 as usize] = true;
        }
        let mut reached = UnionFind::<usize>::new(nodes);
        for from in 0..nodes {
            for to in 0..nodes {
                if !is_dead[from * nodes + to] {
                    reached.union(from, to);
                }
            }
        }
        let mut islands: Vec<Vec<NodeId>> = Vec::new();
        let mut island_of = vec![None; nodes];
        for node in 0..nodes {
            let island = *island_of[reached.find(node)].get_or_insert_with(|| {
                islands.push(Vec::new());
                islands.len() - 1
            });
            islands[island].push(NodeId(node as u32));
        }
        islands
    }

    /// How many nodes a node could still talk with, itself included.
    pub(crate) fn within_reach(&self, of: NodeId, nodes: usize) -> usize {
        let gone = |node: &NodeId| {
            self.dead_links().any(|link| link == (of, *node) || link == (*node, of))
        };
        (0..nodes).map(|node| NodeId(node as u32)).filter(|node| !gone(node)).count()
    }

    /// The directed links that carried nothing.
    fn dead_links(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let all_is_lost = self.quality.split(", ").any(|part| part.starts_with("loss 100%"));
        let lost = self.links.iter().filter(move |_| all_is_lost);
        self.cut.iter().chain(lost).copied()
    }
}
