//! `majority`: a bare majority against the rest.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "majority",
    "Cuts a bare majority of the nodes, drawn by lot, from all others.",
    Capability::Links,
    |scene| {
        Decision::cut(Grudge::apart(scene.at_least(3)?, |nodes| nodes / 2 + 1, &mut scene.rng()))
    },
);
