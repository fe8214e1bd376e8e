//! `rolling-restart`: one node after another ends and starts, as in an upgrade.

use super::{Action, Arg, Beat, Break, Capability, Decision, Fault, Kind, Takes, Targets};

const ARGS: &[Arg] = &[
    Arg { name: "down", kind: Kind::Duration, usual: "300ms", about: "how long each is down" },
    Arg { name: "pause", kind: Kind::Duration, usual: "700ms", about: "how long until the next" },
];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    beat: Some(|args| Beat { on: args.duration("down"), off: args.duration("pause") }),
    ..Fault::plain(
        "rolling-restart",
        "Asks one node after another to end (SIGTERM) and starts it again.",
        Capability::Processes,
        |scene| {
            let targets = match scene.targets {
                Targets::Usual => &Targets::All,
                chosen => chosen,
            };
            let (nodes, note) = targets.choose(scene)?;
            let node = nodes[scene.beat % nodes.len()];
            Ok(Decision { action: Action::nodes(Break::Stop, vec![node]), note })
        },
    )
};
