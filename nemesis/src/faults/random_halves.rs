//! `random-halves`: two halves drawn by lot.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "random-halves",
    "Cuts the network between two halves of the nodes that are drawn by lot.",
    Capability::Links,
    |scene| Decision::cut(Grudge::random_halves(scene.at_least(2)?, &mut scene.rng())),
);
