//! Nodes that are short of time or of memory.

use std::sync::Arc;

use super::{Witness, healed, installed, lives};
use crate::Nemesis;
use crate::faults::{Action, Break};
use crate::node::{Capability, Cluster};

/// The quota of the case, in percent of a core.
const PERCENT: f64 = 5.0;
/// The most that may be seen of it: a look that begins just before a period gets its share twice.
const SHARE_MOST: f64 = 0.15;
const MIB: u64 = 1 << 20;

/// Cases need not pass where limits cannot be had, but it is said.
fn can_be_had(cluster: &dyn Cluster) -> bool {
    let has = cluster.has(Capability::Limits);
    if !has {
        eprintln!("SKIPPED: {}", cluster.lacks(Capability::Limits));
    }
    has
}

pub(super) fn cpu(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if !can_be_had(cluster.as_ref()) {
        return;
    }
    let before = lives(cluster.as_ref(), witness);
    let mut nemesis = Nemesis::new(cluster.clone());
    let action = Action::nodes(Break::Cpu { percent: PERCENT }, vec![1, 2]);
    installed(&nemesis.install(1, &action));
    let short = witness.share(1);
    assert!(short <= SHARE_MOST, "it got {short} of a core in spite of {PERCENT}%");
    healed(&nemesis.undo(1));
    // How much it gets without a limit depends on what else the machine does.
    let shares: Vec<f64> = (0..5).map(|_| witness.share(1)).collect();
    let most = shares.iter().copied().fold(0.0, f64::max);
    assert!(most > 1.5 * short, "without a limit it got {shares:?}, and {short} with one");
    assert_eq!(lives(cluster.as_ref(), witness), before, "all go on in the same life");
}

pub(super) fn memory(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if !can_be_had(cluster.as_ref()) {
        return;
    }
    let before = lives(cluster.as_ref(), witness);
    let mut nemesis = Nemesis::new(cluster.clone());
    let action = Action::nodes(Break::Memory { bytes: 64 * MIB }, vec![0, 1]);
    installed(&nemesis.install(1, &action));
    witness.take(0, 16 * MIB);
    assert_eq!(witness.life(0), before[0], "that fits");
    witness.take(1, 128 * MIB);
    assert_eq!(witness.life(1), None, "it has taken more than it may have");
    healed(&nemesis.undo(1));
    let after = lives(cluster.as_ref(), witness);
    assert!(after[1].is_some() && after[1] != before[1], "it was not started again");
    assert_eq!(after[0], before[0], "who kept to the limit lives on");
    witness.take(1, 128 * MIB);
    assert_eq!(witness.life(1), after[1], "it may have that again");
}
