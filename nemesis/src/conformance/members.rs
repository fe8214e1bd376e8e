//! Nodes that leave the database's cluster.

use std::sync::Arc;

use super::{Witness, healed, installed, lives};
use crate::Nemesis;
use crate::faults::{Action, Break};
use crate::node::{Capability, Cluster};

/// Who belongs is for the nodes to say, each for itself.
pub(super) fn leave(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let Some(members) = cluster.members() else {
        eprintln!("SKIPPED: {}", cluster.lacks(Capability::Members));
        return;
    };
    let nodes = cluster.nodes().len();
    let all: Vec<usize> = (0..nodes).collect();
    let before = lives(cluster.as_ref(), witness);
    let known = |node: usize| members.known_to(node).expect("it answers");
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &Action::nodes(Break::Leave, vec![1])));
    let stayed: Vec<usize> = all.iter().copied().filter(|node| *node != 1).collect();
    let agree = stayed.iter().filter(|node| known(**node) == stayed).count();
    assert!(2 * agree > stayed.len(), "only {agree} know that one has left");
    healed(&nemesis.undo(1));
    let agree = all.iter().filter(|node| known(**node) == all).count();
    assert!(2 * agree > nodes, "only {agree} know that it has joined again");
    assert_eq!(lives(cluster.as_ref(), witness), before, "nobody has died of it");
}
