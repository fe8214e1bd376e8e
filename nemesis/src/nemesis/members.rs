//! Taking nodes out of the database's cluster and back, and hearing that it is so.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::faults::{Action, Break};
use crate::node::{Capability, Members, NodeError};

/// How many times the usual limit a change may take: it waits for a leader, and one who joins has
/// to catch up.
const CHANGE_LIMITS: u32 = 6;
/// How long to wait before asking again.
const ASK_AFTER: Duration = Duration::from_millis(20);

impl Nemesis {
    /// Has the nodes leave one after another, and verifies it: see [`Nemesis::agreement`].
    pub(super) fn leave(&self, nodes: &[usize]) -> Result<Proof, Trouble> {
        self.change(nodes, |control, node| control.leave(node))
    }

    /// Has the nodes join again, verified in the same way.
    pub(super) fn join(&self, nodes: &[usize]) -> Result<Proof, Trouble> {
        self.change(nodes, |control, node| control.join(node))
    }

    /// Looks whether those who have left are still out.
    pub(super) fn have_not_joined(&self) -> Result<(), Trouble> {
        self.agreement(self.member_control()?, Instant::now() + self.verify_limit).map(drop)
    }

    fn change(
        &self,
        nodes: &[usize],
        change: impl Fn(&dyn Members, usize) -> Result<(), NodeError>,
    ) -> Result<Proof, Trouble> {
        let control = self.member_control()?;
        let deadline = Instant::now() + CHANGE_LIMITS * self.verify_limit;
        for node in nodes {
            // Changes may be repeated: who has left already has nothing more to do.
            while let Err(error) = change(control, *node) {
                if Instant::now() > deadline {
                    return Err(error.into());
                }
                thread::sleep(ASK_AFTER);
            }
        }
        self.agreement(control, deadline)
    }

    /// Waits until more than half of those who are to be members say that exactly these are. The
    /// others may be down or cut off at the moment, and learn of it later.
    fn agreement(&self, control: &dyn Members, deadline: Instant) -> Result<Proof, Trouble> {
        let left = self.have_left();
        let wanted: Vec<usize> =
            (0..self.cluster.nodes().len()).filter(|node| !left.contains(node)).collect();
        loop {
            let known: Vec<_> = wanted.iter().map(|node| control.known_to(*node)).collect();
            let agreed =
                known.iter().filter(|known| known.as_ref().is_ok_and(|k| *k == wanted)).count();
            if 2 * agreed > wanted.len() {
                return Ok(Proof { agreed, ..Proof::default() });
            }
            if Instant::now() > deadline {
                return Err(Trouble::Unknown(format!(
                    "only {agreed} of {} nodes say that exactly these are the members",
                    wanted.len()
                )));
            }
            thread::sleep(ASK_AFTER);
        }
    }

    fn member_control(&self) -> Result<&dyn Members, Trouble> {
        let lacks = || Trouble::Skip(self.cluster.lacks(Capability::Members));
        self.cluster.members().ok_or_else(lacks)
    }

    /// The nodes that active faults keep out of the cluster.
    fn have_left(&self) -> BTreeSet<usize> {
        let leaving = |action: &&Action| matches!(action, Action::Nodes { what: Break::Leave, .. });
        self.active.values().filter(leaving).flat_map(Action::targets).copied().collect()
    }
}
