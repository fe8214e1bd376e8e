//! What is said to nodes: each way to break them, to see it, and to let them go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::faults::{Action, Break};
use crate::node::{Limit, Resource};

/// How long a program that is asked to end may take to tidy up.
const END_LIMIT: Duration = Duration::from_secs(5);

impl Nemesis {
    /// Looks whether there is anything to break at the nodes.
    pub(super) fn can_be_hit(&self, what: Break, nodes: &[usize]) -> Result<(), Trouble> {
        match what {
            Break::Kill | Break::Stop | Break::Pause => self.living(nodes),
            Break::Clock(_) | Break::Disk(_) | Break::PowerCut { .. } | Break::Damage { .. } => {
                Ok(())
            }
            Break::Cpu { .. } | Break::Memory { .. } => {
                self.not_yet_hit(what, nodes)?;
                self.living(nodes)
            }
            Break::Leave => self.not_yet_hit(what, nodes),
        }
    }

    /// Skips if one of the nodes is broken in the same way already, by an amount of its own.
    fn not_yet_hit(&self, what: Break, nodes: &[usize]) -> Result<(), Trouble> {
        let spared = self.no_longer_hit(what, nodes);
        match nodes.iter().find(|node| !spared.contains(node)) {
            None => Ok(()),
            Some(node) => Err(Trouble::Skip(format!("{} is hit so already", self.name(*node)))),
        }
    }

    pub(super) fn hit(
        &self,
        what: Break,
        nodes: &[usize],
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        match what {
            Break::Kill => self.kill(nodes, deadline),
            Break::Stop => self.end(nodes, deadline + END_LIMIT),
            Break::Pause => self.pause(nodes, deadline),
            Break::Cpu { percent } => self.limit(Limit::Cpu { percent }, nodes, deadline),
            Break::Memory { bytes } => self.limit(Limit::Memory { bytes }, nodes, deadline),
            Break::Leave => self.leave(nodes),
            Break::Clock(_) => self.set_clocks(nodes, deadline),
            Break::Disk(_) => self.set_disks(nodes, deadline),
            Break::PowerCut { keep_percent } => self.cut_power(nodes, keep_percent, deadline),
            Break::Damage { damage, seed } => self.damage(nodes, damage, seed),
        }
    }

    /// Looks whether the nodes are still as [`Nemesis::hit`] left them.
    pub(super) fn is_hit(&self, what: Break, nodes: &[usize]) -> Result<(), Trouble> {
        match what {
            Break::Kill | Break::Stop | Break::PowerCut { .. } => {
                self.all_are(nodes, "runs again", |_| false)
            }
            Break::Pause => self.all_are(nodes, "is no longer stopped", |p| p.stopped),
            Break::Cpu { percent } => self.still_limited(Limit::Cpu { percent }, nodes),
            Break::Memory { bytes } => self.still_limited(Limit::Memory { bytes }, nodes),
            Break::Leave => self.have_not_joined(),
            Break::Clock(_) => self.clocks_deviate(nodes),
            Break::Disk(_) => self.disks_fail(nodes),
            Break::Damage { .. } => self.are_damaged(nodes),
        }
    }

    /// Lets the nodes go, and starts those again that have died of it.
    pub(super) fn let_go(
        &self,
        what: Break,
        nodes: &[usize],
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let proof = match what {
            Break::Kill | Break::Stop | Break::PowerCut { .. } => {
                return self.restart(nodes, deadline);
            }
            Break::Pause => self.resume(nodes, deadline)?,
            Break::Cpu { .. } => self.lift(Resource::Cpu, nodes, deadline)?,
            Break::Memory { .. } => self.lift(Resource::Memory, nodes, deadline)?,
            Break::Leave => self.join(nodes)?,
            Break::Clock(_) => self.set_clocks(nodes, deadline)?,
            Break::Disk(_) => self.set_disks(nodes, deadline)?,
            Break::Damage { .. } => self.mend(nodes)?,
        };
        if !what.can_be_fatal() {
            return Ok(proof);
        }
        let whole = self.not_hit_by(nodes, Break::can_be_fatal);
        // Its time to start does not count as time to heal.
        let started = self.restart(&whole, deadline.max(Instant::now() + self.verify_limit))?;
        Ok(Proof { processes: started.processes, ended: started.ended, ..proof })
    }

    /// Those of the nodes that no active fault keeps broken in the same way.
    pub(super) fn no_longer_hit(&self, what: Break, nodes: &[usize]) -> Vec<usize> {
        self.not_hit_by(nodes, |other| other.ends_with(what))
    }

    /// Those of the nodes that no active fault of such a kind hits.
    fn not_hit_by(&self, nodes: &[usize], such: impl Fn(Break) -> bool) -> Vec<usize> {
        let hit: BTreeSet<usize> = self
            .active
            .values()
            .filter(|other| matches!(other, Action::Nodes { what, .. } if such(*what)))
            .flat_map(|other| other.targets().iter().copied())
            .collect();
        nodes.iter().copied().filter(|node| !hit.contains(node)).collect()
    }
}
