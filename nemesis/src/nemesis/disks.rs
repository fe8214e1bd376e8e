//! Making disks fail, and seeing from inside of the nodes that they do.

use std::time::Instant;

use nix::errno::Errno;

use super::{Nemesis, Proof, Trouble};
use crate::disk::{CANARY_BYTES, Canaries, Condition, Damage, Damaged, Disks};
use crate::faults::{Action, Break};
use crate::node::NodeError;

/// A trial asks the disk for so many things at most.
const REQUESTS: u32 = 8;

impl Nemesis {
    /// Makes the disks of the nodes what the active faults make of them.
    pub(super) fn set_disks(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        for node in nodes {
            self.disk_control()?.set(*node, self.condition(*node))?;
        }
        for node in nodes {
            self.disk_is(*node, deadline)?;
        }
        Ok(Proof { nodes: nodes.len(), ..Proof::default() })
    }

    /// Looks whether the disks of the nodes still fail.
    pub(super) fn disks_fail(&self, nodes: &[usize]) -> Result<(), Trouble> {
        let deadline = Instant::now() + self.verify_limit;
        nodes.iter().try_for_each(|node| self.disk_is(*node, deadline))
    }

    /// Tries a disk until it has shown all that is wrong with it, and nothing else.
    fn disk_is(&self, node: usize, deadline: Instant) -> Result<(), Trouble> {
        let control = self.disk_control()?;
        let wanted = self.condition(node);
        let deadline = deadline + wanted.delay * REQUESTS;
        let mut erred = wanted.eio_percent == 0.0;
        let mut behaved = wanted.eio_percent == 100.0;
        loop {
            let trial = control.trial(node)?;
            let errno = trial.errno.map(Errno::from_raw);
            match errno {
                Some(Errno::EIO) if wanted.eio_percent > 0.0 => erred = true,
                errno if errno == expected(&wanted) => {
                    behaved |= errno.is_some() || trial.took >= wanted.delay;
                }
                _ => behaved = false,
            }
            if erred && behaved {
                break;
            }
            if Instant::now() > deadline {
                let how = errno.map_or("works as ever", Errno::desc);
                return Err(self.unknown(node, &format!("has a disk of which a write says: {how}")));
            }
        }
        if control.report(node)?.condition != wanted {
            return Err(self.unknown(node, "has a disk that somebody else has changed"));
        }
        Ok(())
    }

    /// All that active faults make of a node's disk.
    fn condition(&self, node: usize) -> Condition {
        let hits = self.active.values().filter_map(|action| match action {
            Action::Nodes { what: Break::Disk(condition), nodes } => {
                nodes.contains(&node).then_some(*condition)
            }
            _ => None,
        });
        hits.fold(Condition::default(), Condition::and)
    }

    /// Kills the nodes and takes what is not durable on their disks, which two files show: one was
    /// fsynced and is to be there, the other was not.
    pub(super) fn cut_power(
        &self,
        nodes: &[usize],
        keep_percent: Option<u8>,
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let control = self.disk_control()?;
        for node in nodes {
            control.plant(*node)?;
        }
        let proof = self.kill(nodes, deadline)?;
        for node in nodes {
            control.cut_power(*node, keep_percent)?;
            let left = control.canaries(*node)?;
            let torn = keep_percent.map(|percent| CANARY_BYTES * u64::from(percent) / 100);
            if left != (Canaries { synced: Some(CANARY_BYTES), unsynced: torn }) {
                return Err(self.unknown(*node, &format!("has a disk that kept {left:?}")));
            }
        }
        Ok(Proof { nodes: nodes.len(), ..proof })
    }

    /// Damages what lies on the disks.
    pub(super) fn damage(
        &self,
        nodes: &[usize],
        damage: Damage,
        seed: u64,
    ) -> Result<Proof, Trouble> {
        let control = self.disk_control()?;
        for node in nodes {
            let damaged = control.damage(*node, damage, seed.wrapping_add(*node as u64))?;
            if !self.any_differs(*node, &damaged)? {
                return Err(self.unknown(*node, "shows no damage"));
            }
        }
        Ok(Proof { nodes: nodes.len(), ..Proof::default() })
    }

    /// Looks whether there is damage that was not mended.
    pub(super) fn are_damaged(&self, nodes: &[usize]) -> Result<(), Trouble> {
        for node in nodes {
            if self.disk_control()?.report(*node)?.damaged == 0 {
                return Err(self.unknown(*node, "shows no damage any more"));
            }
        }
        Ok(())
    }

    /// Mends what is damaged. What the node has written over meanwhile is as it wrote it.
    pub(super) fn mend(&self, nodes: &[usize]) -> Result<Proof, Trouble> {
        let control = self.disk_control()?;
        for node in nodes {
            let mended = control.mend(*node)?;
            for place in &mended {
                // Or the node has written there just now; then the next try finds nothing to mend.
                if control.byte(*node, place)? != Some(place.was) {
                    return Err(self.unknown(*node, "is still damaged"));
                }
            }
            if control.report(*node)?.damaged > 0 {
                return Err(self.unknown(*node, "is still damaged"));
            }
        }
        Ok(Proof { nodes: nodes.len(), ..Proof::default() })
    }

    fn any_differs(&self, node: usize, places: &[Damaged]) -> Result<bool, Trouble> {
        for place in places {
            if self.disk_control()?.byte(node, place)? != Some(place.was) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn disk_control(&self) -> Result<&dyn Disks, NodeError> {
        self.cluster.disks().ok_or_else(|| NodeError("no disks".to_owned()))
    }
}

/// What ends a trial on such a disk, if it is not an error by chance.
fn expected(condition: &Condition) -> Option<Errno> {
    match condition {
        Condition { read_only: true, .. } => Some(Errno::EROFS),
        Condition { full: true, .. } => Some(Errno::ENOSPC),
        _ => None,
    }
}
