//! Breaks what a fault decided, proves that it is broken, and undoes it.

mod clocks;
mod disks;
mod effect;
mod limits;
mod links;
mod members;
mod nodes;
mod processes;
mod shaping;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use effect::{Effect, Proof};

use crate::faults::Action;
use crate::node::{Capability, Cluster, Link};

/// Number of a fault within a run.
pub type FaultId = u64;

/// How long a fault, or its undoing, may take until it is verified; after that it is
/// indeterminate. On an idle machine it takes some hundredths of a second; on a busy one nothing may
/// run for one or two seconds at any moment, which says nothing of the fault.
pub const VERIFY_LIMIT: Duration = Duration::from_secs(5);

/// The part of the harness that breaks things; used from one thread, which it blocks.
///
/// Several faults can be active at once: cuts add up, and a node that two faults hit is let go
/// when the last of them ends.
pub struct Nemesis {
    cluster: Arc<dyn Cluster>,
    /// All that is, or may be, in force.
    active: BTreeMap<FaultId, Action>,
    /// Nodes of which a fault has been at the disk: what their programs make of that is theirs.
    harmed: BTreeSet<usize>,
    verify_limit: Duration,
    next_nonce: u64,
}

impl Nemesis {
    /// A nemesis of a cluster in which nothing is broken.
    pub fn new(cluster: Arc<dyn Cluster>) -> Nemesis {
        // Probes of another nemesis of the same cluster may still be on their way.
        static MADE: AtomicU64 = AtomicU64::new(0);
        let next_nonce = MADE.fetch_add(1, Ordering::Relaxed) << 32;
        let (active, harmed) = (BTreeMap::new(), BTreeSet::new());
        Nemesis { cluster, active, harmed, verify_limit: VERIFY_LIMIT, next_nonce }
    }

    /// The same with another limit than [`VERIFY_LIMIT`].
    pub fn with_verify_limit(self, verify_limit: Duration) -> Nemesis {
        Nemesis { verify_limit, ..self }
    }

    /// The faults that are, or may be, in force.
    pub fn active(&self) -> impl Iterator<Item = (FaultId, &Action)> {
        self.active.iter().map(|(id, action)| (*id, action))
    }

    /// Breaks what `action` says and verifies it: [`Effect::Installed`], [`Effect::Skipped`] if
    /// nothing was done, else [`Effect::Indeterminate`]. What may be in force has to be undone.
    ///
    /// # Panics
    /// The id is that of an active fault.
    pub fn install(&mut self, id: FaultId, action: &Action) -> Effect {
        assert!(!self.active.contains_key(&id), "fault {id} is active");
        let begun = Instant::now();
        let deadline = begun + self.verify_limit + self.longest_way();
        let result = match action {
            Action::Shape { links, .. } if links.is_empty() => Err(Trouble::skip("no links")),
            Action::Shape { quality, .. } => self.require(quality.needs()).and_then(|()| {
                let before = self.shapes();
                self.active.insert(id, action.clone());
                self.change_shapes(&before, deadline)
            }),
            Action::Cut(grudge) if grudge.cuts.is_empty() => Err(Trouble::skip("nothing to cut")),
            Action::Cut(grudge) => {
                let before = self.cuts();
                let wanted =
                    before.union(&grudge.cuts.iter().copied().collect()).copied().collect();
                self.require(Capability::Links).and_then(|()| {
                    self.active.insert(id, action.clone());
                    self.change_cuts(&before, &wanted, deadline)
                })
            }
            Action::Nodes { what, nodes } => self
                .require(what.needs())
                .and_then(|()| self.can_be_hit(*what, nodes))
                .and_then(|()| {
                    self.active.insert(id, action.clone());
                    if what.needs() == Capability::Disks {
                        self.harmed.extend(nodes);
                    }
                    self.hit(*what, nodes, deadline)
                }),
        };
        Effect::of(result.map(Effect::Installed), begun)
    }

    /// Looks whether an active fault is still in force, as it was when it was installed; if not,
    /// why. To be asked before it is undone, since nobody else sees rules that somebody removed.
    pub fn still_in_force(&mut self, id: FaultId) -> Result<(), String> {
        let Some(action) = self.active.get(&id).cloned() else {
            return Err(format!("fault {id} is not active"));
        };
        let deadline = Instant::now() + self.verify_limit + self.longest_way();
        let result = match &action {
            Action::Shape { links, .. } => self.shapes_hold(links, deadline),
            Action::Cut(grudge) => self.cuts_hold(&grudge.cuts, deadline),
            Action::Nodes { what, nodes } => self.is_hit(*what, nodes),
        };
        result.map_err(|(Trouble::Skip(why) | Trouble::Unknown(why))| why)
    }

    /// Undoes an active fault and verifies that: [`Effect::Healed`], or
    /// [`Effect::Indeterminate`], after which it is still active and can be undone again.
    pub fn undo(&mut self, id: FaultId) -> Effect {
        let Some(action) = self.active.remove(&id) else {
            return Effect::Skipped(format!("fault {id} is not in force"));
        };
        let effect = self.undo_all(std::slice::from_ref(&action));
        if matches!(effect, Effect::Indeterminate(_)) {
            self.active.insert(id, action);
        }
        effect
    }

    /// Undoes all active faults. May be repeated: what was healed is not touched again.
    pub fn heal_all(&mut self) -> Vec<(FaultId, Effect)> {
        // All cuts at once, since each undoing of one has to verify what is left of the others;
        // and so with shapes.
        let (cuts, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.active)
            .into_iter()
            .partition(|(_, action)| matches!(action, Action::Cut(_)));
        let (shapes, mut rest): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, action)| matches!(action, Action::Shape { .. }));
        // Who is started again is to find all that it needs.
        rest.sort_by_key(|(_, action)| action.takes_down());
        let groups = [shapes, cuts].into_iter().chain(rest.into_iter().map(|fault| vec![fault]));
        let mut effects = Vec::new();
        for group in groups.filter(|group| !group.is_empty()) {
            let actions: Vec<_> = group.iter().map(|(_, action)| action.clone()).collect();
            let effect = self.undo_all(&actions);
            for (id, action) in group {
                if matches!(effect, Effect::Indeterminate(_)) {
                    self.active.insert(id, action);
                }
                effects.push((id, effect.clone()));
            }
        }
        effects.sort_by_key(|(id, _)| *id);
        effects
    }

    /// Undoes actions of one kind that are no longer among the active ones.
    fn undo_all(&mut self, actions: &[Action]) -> Effect {
        let begun = Instant::now();
        let deadline = begun + self.verify_limit + self.longest_way();
        let result = match actions {
            [Action::Shape { .. }, ..] => {
                let mut before = self.shapes();
                for action in actions {
                    if let Action::Shape { links, quality } = action {
                        links.iter().for_each(|link| {
                            let both = before.entry(*link).or_default();
                            *both = both.and(*quality);
                        });
                    }
                }
                self.change_shapes(&before, deadline)
            }
            [Action::Nodes { what, nodes }] => {
                let nodes = self.no_longer_hit(*what, nodes);
                self.let_go(*what, &nodes, deadline)
            }
            cuts => {
                let mut before = self.cuts();
                let wanted = before.clone();
                before.extend(cuts.iter().flat_map(cuts_of));
                self.change_cuts(&before, &wanted, deadline)
            }
        };
        Effect::of(result.map(Effect::Healed), begun)
    }

    /// All links that the active faults cut.
    fn cuts(&self) -> BTreeSet<Link> {
        self.active.values().flat_map(cuts_of).collect()
    }

    fn require(&self, capability: Capability) -> Result<(), Trouble> {
        if self.cluster.has(capability) {
            return Ok(());
        }
        Err(Trouble::Skip(self.cluster.lacks(capability)))
    }

    fn name(&self, node: usize) -> &str {
        self.cluster.nodes().get(node).map_or("clients", String::as_str)
    }
}

fn cuts_of(action: &Action) -> impl Iterator<Item = Link> + '_ {
    let cuts: &[Link] = match action {
        Action::Cut(grudge) => &grudge.cuts,
        Action::Shape { .. } | Action::Nodes { .. } => &[],
    };
    cuts.iter().copied()
}

/// Why an act did not end as it should.
enum Trouble {
    /// Nothing was done.
    Skip(String),
    /// Something may have been done.
    Unknown(String),
}

impl Trouble {
    fn skip(reason: &str) -> Trouble {
        Trouble::Skip(reason.to_owned())
    }
}

impl From<crate::node::NodeError> for Trouble {
    fn from(error: crate::node::NodeError) -> Trouble {
        Trouble::Unknown(error.0)
    }
}

#[cfg(test)]
mod tests;
