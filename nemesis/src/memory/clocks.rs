//! Clocks of the twin: the machine's, with a deviation for each node.

use std::thread;
use std::time::Duration;

use super::{MemoryCluster, Sabotage};
use crate::clock::{Clocks, Deviation, Reading, machine_ns};
use crate::node::NodeError;

impl MemoryCluster {
    /// What a node's program is told of the time now.
    pub fn tell(&self, node: usize) -> Reading {
        let state = self.state();
        let deviation = match state.sabotage {
            Some(Sabotage::ClocksDoNothing) => Deviation::default(),
            _ => state.clocks[node],
        };
        let now_ns = machine_ns().unwrap_or_default();
        let told_ns = now_ns + deviation.ahead_ns(now_ns);
        Reading { before_ns: now_ns, told_ns, after_ns: now_ns }
    }
}

impl Clocks for MemoryCluster {
    fn set(&self, node: usize, deviation: &Deviation) -> Result<Deviation, NodeError> {
        let since_ns = machine_ns().map_err(|error| NodeError(error.to_string()))?;
        let told = Deviation { since_ns, ..*deviation };
        self.state().clocks[node] = told;
        Ok(told)
    }

    fn get(&self, node: usize) -> Result<Deviation, NodeError> {
        Ok(self.state().clocks[node])
    }

    fn readings(&self, node: usize, during: Duration) -> Result<Vec<Reading>, NodeError> {
        let looks = 5;
        Ok((0..looks)
            .map(|_| {
                thread::sleep(during / looks);
                self.tell(node)
            })
            .collect())
    }

    fn unreached(&self, node: usize) -> Result<Vec<i32>, NodeError> {
        let state = self.state();
        let process =
            state.processes[node].filter(|_| state.sabotage == Some(Sabotage::ClockIsOwn));
        Ok(process.into_iter().map(|process| process.pid).collect())
    }
}
