//! `primaries`: each leader against everybody else.

use super::targets::leaders_or_one;
use super::{Action, Capability, Decision, Fault, Scene, Skip};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    aliases: &["isolate-leader"],
    ..Fault::plain(
        "primaries",
        "Cuts each node that holds itself to be leader from all others.",
        Capability::Links,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(2)?;
    let (leaders, note) = leaders_or_one(scene);
    Ok(Decision { action: Action::Cut(Grudge::isolate(nodes, &leaders)), note })
}
