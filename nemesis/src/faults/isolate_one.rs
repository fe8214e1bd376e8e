//! `isolate-one`: one node against all others.

use super::{Action, Capability, Decision, Fault, Scene, Skip};
use crate::grudge::Grudge;

pub(super) const FAULT: Fault = Fault {
    name: "isolate-one",
    aliases: &[],
    about: "Cuts one node, drawn by lot or named, from all others.",
    needs: Capability::Links,
    takes_targets: true,
    decide,
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let nodes = scene.at_least(2)?;
    let (alone, note) = scene.targets.choose(scene)?;
    Ok(Decision { action: Action::Cut(Grudge::isolate(nodes, &alone)), note })
}
