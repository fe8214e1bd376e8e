//! Members of the in-memory twin.

use super::{MemoryCluster, Sabotage};
use crate::node::{Members, NodeError};

impl Members for MemoryCluster {
    fn leave(&self, node: usize) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage != Some(Sabotage::MembersStay) {
            state.left.insert(node);
        }
        Ok(())
    }

    fn join(&self, node: usize) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage != Some(Sabotage::MembersStay) {
            state.left.remove(&node);
        }
        Ok(())
    }

    fn known_to(&self, asked: usize) -> Result<Vec<usize>, NodeError> {
        let state = self.state();
        let runs = state.processes[asked].is_some_and(|process| !process.stopped);
        let nodes = 0..self.names.len();
        runs.then(|| nodes.filter(|node| !state.left.contains(node)).collect())
            .ok_or_else(|| NodeError("no answer".to_owned()))
    }
}
