//! `majorities-ring`: everybody sees a majority, no two the same.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "majorities-ring",
    "Leaves every node a majority that it sees, but no two nodes the same one.",
    Capability::Links,
    |scene| Decision::cut(Grudge::majorities_ring(scene.at_least(4)?, &mut scene.rng())),
);
