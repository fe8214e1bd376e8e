//! Nodes of which only the addresses are known: clients work, and nothing can be broken there.

use splitbrain_nemesis::{Cluster, Links, Processes};

/// A cluster that is running already.
pub struct ExternalCluster {
    /// Names of its nodes.
    pub nodes: Vec<String>,
}

impl Cluster for ExternalCluster {
    fn nodes(&self) -> &[String] {
        &self.nodes
    }

    fn links(&self) -> Option<&dyn Links> {
        None
    }

    fn processes(&self) -> Option<&dyn Processes> {
        None
    }
}
