//! `one-way`: one half no longer hears the other.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "one-way",
    "Lets one half of the nodes no longer hear the other, which still hears it.",
    Capability::Links,
    |scene| Decision::cut(Grudge::one_way(scene.at_least(2)?, &mut scene.rng())),
);
