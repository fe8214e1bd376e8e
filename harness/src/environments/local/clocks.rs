//! Nodes whose programs can be told another time of day.

use std::sync::OnceLock;
use std::time::Duration;

use splitbrain_nemesis::clock::{Clocks, Deviation, Reading};
use splitbrain_nemesis::node::NodeError;

use super::LocalCluster;
use super::agent::in_hub;
use super::capabilities::node_error;
use crate::environments::stand::NodeClock;

/// The clocks of all nodes, or why there are none.
pub(super) type MaybeClocks = OnceLock<Result<Vec<NodeClock>, String>>;

impl LocalCluster {
    /// Has the nodes' programs, which are installed and do not run yet, ask a clock that can be
    /// made wrong. Where they would not ask it, the cluster has no [`Clocks`] and says why.
    pub fn attach_clocks(&self) {
        self.clocks.get_or_init(|| {
            let clocks = self.sandbox.directory().join("clocks");
            let nodes = self.nodes.iter().zip(&self.names);
            let make = |(node, name): (&super::Node, &String)| {
                let program = node.program();
                let daemon = program.daemon.as_ref().ok_or("no program is installed")?;
                NodeClock::make(&clocks.join(name), daemon)
            };
            nodes.map(make).collect()
        });
    }

    fn clock(&self, node: usize) -> Result<&NodeClock, NodeError> {
        let clocks = self.clocks.get().and_then(|clocks| clocks.as_ref().ok());
        clocks.map(|clocks| &clocks[node]).ok_or_else(|| node_error("it has no clock of ours"))
    }

    /// What is added to the environment of a node's program.
    pub(super) fn clock_environment(&self, node: usize) -> Vec<(&'static str, String)> {
        let Ok(clock) = self.clock(node) else { return Vec::new() };
        clock.environment(self.nodes[node].program().daemon.as_ref()).into()
    }
}

impl Clocks for LocalCluster {
    fn set(&self, node: usize, deviation: &Deviation) -> Result<Deviation, NodeError> {
        self.clock(node)?.set(deviation).map_err(node_error)
    }

    fn get(&self, node: usize) -> Result<Deviation, NodeError> {
        self.clock(node)?.get().map_err(node_error)
    }

    fn readings(&self, node: usize, during: Duration) -> Result<Vec<Reading>, NodeError> {
        let mut teller = self.clock(node)?.teller(during).map_err(node_error)?;
        let said = self.nodes[node].agent.ask(move || in_hub(&mut teller)?.output());
        NodeClock::readings(&said.wait().map_err(node_error)?).map_err(node_error)
    }

    fn unreached(&self, node: usize) -> Result<Vec<i32>, NodeError> {
        let processes = self.processes_of(node)?;
        Ok(self.clock(node)?.unreached(processes.iter().map(|process| process.pid)))
    }
}
