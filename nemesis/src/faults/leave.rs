//! `leave`: a node is taken out of the database's cluster, and joins it again.

use super::{Break, Capability, Decision, Fault, Scene, Skip, Takes};

pub(super) const FAULT: Fault = Fault {
    aliases: &["shrink"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "leave",
        "Has nodes leave the database's cluster through its own administration, and join it again.",
        Capability::Members,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(2)?;
    let (leaving, note) = scene.targets.choose(scene)?;
    if leaving.len() == nodes {
        return Err(Skip("at least one node has to stay".to_owned()));
    }
    Ok(Decision { action: super::Action::nodes(Break::Leave, leaving), note })
}
