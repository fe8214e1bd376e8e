//! `random-halves`: two halves drawn by lot.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    name: "random-halves",
    aliases: &[],
    about: "Cuts the network between two halves of the nodes that are drawn by lot.",
    needs: Capability::Links,
    takes_targets: false,
    decide: |scene| Decision::cut(Grudge::random_halves(scene.at_least(2)?, &mut scene.rng())),
};
