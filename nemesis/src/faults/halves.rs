//! `halves`: the first half of the nodes against the second.

use super::{Capability, Decision, Fault};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "halves",
    "Cuts the network between the first half of the nodes and the second.",
    Capability::Links,
    |scene| Decision::cut(Grudge::halves(scene.at_least(2)?)),
);
