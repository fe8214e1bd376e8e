//! Hosts whose nodes' programs can be told another time of day. The hosts' own clocks are left alone.

use std::io;
use std::time::Duration;

use splitbrain_nemesis::clock::{Clocks, Deviation, Reading};
use splitbrain_nemesis::node::NodeError;

use super::capabilities::told;
use super::protocol::Ask;
use super::{SshCluster, in_parallel};

impl SshCluster {
    /// Has the nodes' programs, which are installed and do not run yet, ask a clock that can be
    /// made wrong. Where they would not ask it, the cluster has no [`Clocks`] and says why.
    pub fn attach_clocks(&self) {
        self.clocks.get_or_init(|| {
            let attached =
                in_parallel(&self.names, |node, _| self.ask::<()>(node, Ask::AttachClock));
            let attached: io::Result<Vec<()>> = attached.into_iter().collect();
            attached.map(drop).map_err(|error| error.to_string())
        });
    }
}

impl Clocks for SshCluster {
    fn set(&self, node: usize, deviation: &Deviation) -> Result<Deviation, NodeError> {
        told(self.ask(node, Ask::SetClock(*deviation)))
    }

    fn get(&self, node: usize) -> Result<Deviation, NodeError> {
        told(self.ask(node, Ask::Clock))
    }

    fn readings(&self, node: usize, during: Duration) -> Result<Vec<Reading>, NodeError> {
        told(self.ask(node, Ask::Readings { during_ms: during.as_millis() as u64 }))
    }

    fn unreached(&self, node: usize) -> Result<Vec<i32>, NodeError> {
        told(self.ask(node, Ask::Unreached))
    }
}
