//! `isolate-one`: one node against all others.

use super::{Action, Capability, Decision, Fault, Scene, Skip, Takes};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    ..Fault::plain(
        "isolate-one",
        "Cuts one node, drawn by lot or named, from all others.",
        Capability::Links,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(2)?;
    let (alone, note) = scene.targets.choose(scene)?;
    Ok(Decision { action: Action::Cut(Grudge::isolate(nodes, &alone)), note })
}
