//! `partial`: some pairs of nodes no longer see each other, though all see others still.

use rand::seq::SliceRandom;

use super::{Capability, Decision, Fault, Scene, Skip, Takes};
use crate::grudge::Grudge;
use crate::node::Link;

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    ..Fault::plain(
        "partial",
        "Cuts single links: those named, or both directions between one pair drawn by lot.",
        Capability::Links,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(2)?;
    let links = scene.targets.links(scene)?.unwrap_or_else(|| {
        let mut order: Vec<_> = (0..nodes).collect();
        order.shuffle(&mut scene.rng());
        vec![Link { from: order[0], to: order[1] }, Link { from: order[1], to: order[0] }]
    });
    Decision::cut(Grudge::of_links(links))
}
