//! `kill`: processes die without a warning.

use super::{Action, Capability, Decision, Fault, Scene, Skip};

pub(super) const FAULT: Fault = Fault {
    name: "kill",
    aliases: &["crash"],
    about: "Kills nodes (SIGKILL) and starts them again on the data that they left.",
    needs: Capability::Processes,
    takes_targets: true,
    decide,
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let (nodes, note) = scene.targets.choose(scene)?;
    Ok(Decision { action: Action::Kill(nodes), note })
}
