//! `minority-third`: fewer than a third against the rest.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "minority-third",
    "Cuts the most nodes that are fewer than a third, drawn by lot, from all others.",
    Capability::Links,
    |scene| {
        Decision::cut(Grudge::apart(scene.at_least(4)?, |nodes| (nodes - 1) / 3, &mut scene.rng()))
    },
);
