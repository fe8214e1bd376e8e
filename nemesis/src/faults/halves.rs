//! `halves`: the first half of the nodes against the second.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    name: "halves",
    aliases: &[],
    about: "Cuts the network between the first half of the nodes and the second.",
    needs: Capability::Links,
    takes_targets: false,
    decide: |scene| Decision::cut(Grudge::halves(scene.at_least(2)?)),
};
