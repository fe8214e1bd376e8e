//! Limits of the in-memory twin.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{MemoryCluster, Sabotage, State};
use crate::node::{Held, Limit, Limits, NodeError, Resource};

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Of each node the part of a core that it may use.
    percent: BTreeMap<usize, f64>,
    /// Of each node the memory that it may use.
    bytes: BTreeMap<usize, u64>,
    /// How often somebody had to wait for time.
    throttled: u64,
}

impl State {
    fn toothless(&self) -> bool {
        self.sabotage == Some(Sabotage::LimitsDoNothing)
    }

    fn compute(&mut self, node: usize) -> f64 {
        match self.limits.percent.get(&node) {
            Some(percent) if !self.toothless() => {
                self.limits.throttled += 1;
                percent / 100.0
            }
            _ => 1.0,
        }
    }
}

impl MemoryCluster {
    /// The part of a core that a process of the node gets which computes without a pause.
    pub fn share(&self, node: usize) -> f64 {
        self.state().compute(node)
    }

    /// Has the node's process take so much memory, of which it may die.
    pub fn take(&self, node: usize, bytes: u64) {
        let mut state = self.state();
        let most = state.limits.bytes.get(&node).copied();
        if most.is_some_and(|most| bytes > most && !state.toothless()) {
            state.processes[node] = None;
        }
    }
}

impl Limits for MemoryCluster {
    fn set(&self, node: usize, limit: Limit) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::LimitsVanish) {
            return Ok(());
        }
        match limit {
            Limit::Cpu { percent } => drop(state.limits.percent.insert(node, percent)),
            Limit::Memory { bytes } => drop(state.limits.bytes.insert(node, bytes)),
        }
        Ok(())
    }

    fn lift(&self, node: usize, resource: Resource) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::LimitsStay) {
            return Ok(());
        }
        match resource {
            Resource::Cpu => drop(state.limits.percent.remove(&node)),
            Resource::Memory => drop(state.limits.bytes.remove(&node)),
        }
        Ok(())
    }

    fn held(&self, node: usize, resource: Resource) -> Result<Held, NodeError> {
        let state = self.state();
        let limit = match resource {
            Resource::Cpu => state.limits.percent.get(&node).map(|p| Limit::Cpu { percent: *p }),
            Resource::Memory => state.limits.bytes.get(&node).map(|b| Limit::Memory { bytes: *b }),
        };
        let processes = state.processes[node].iter().map(|process| process.pid).collect();
        Ok(Held { limit, processes, enforced: state.limits.throttled, used_bytes: 0 })
    }

    fn spin(&self, node: usize, wait: Duration) -> Result<Duration, NodeError> {
        Ok(wait.mul_f64(self.state().compute(node)))
    }
}
