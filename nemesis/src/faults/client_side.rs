//! `client-side`: clients no longer reach a node that its peers still reach.

use super::{Action, Capability, Decision, Fault, Scene, Skip, Takes};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    ..Fault::plain(
        "client-side",
        "Cuts the clients off from one node, which its peers still reach.",
        Capability::Links,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let (deaf, note) = scene.targets.choose(scene)?;
    Ok(Decision { action: Action::Cut(Grudge::from_clients(scene.nodes.len(), &deaf)), note })
}
