//! `pause`: processes stand still, and later go on as if nothing had happened.

use super::{Action, Capability, Decision, Fault, Scene, Skip};

pub(super) const FAULT: Fault = Fault {
    name: "pause",
    aliases: &["hang"],
    about: "Stops nodes (SIGSTOP) and later lets them go on (SIGCONT).",
    needs: Capability::Processes,
    takes_targets: true,
    decide,
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let (nodes, note) = scene.targets.choose(scene)?;
    Ok(Decision { action: Action::Pause(nodes), note })
}
