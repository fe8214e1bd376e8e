//! `bridge`: two halves and one node that sees both.

use rand::RngExt;

use super::{Capability, Decision, Fault, Scene, Skip};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault::plain(
    "bridge",
    "Cuts the network in two halves that only one node still sees both of.",
    Capability::Links,
    decide,
);

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(3)?;
    let mut rng = scene.rng();
    let bridge = rng.random_range(0..nodes);
    Decision::cut(Grudge::bridge(nodes, bridge, &mut rng))
}
