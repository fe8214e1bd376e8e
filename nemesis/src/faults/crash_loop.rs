//! `crash-loop`: nodes die again and again.

use super::{Arg, Beat, Break, Capability, Decision, Fault, Kind, Takes};

const ARGS: &[Arg] = &[
    Arg { name: "down", kind: Kind::Duration, usual: "200ms", about: "how long it is down" },
    Arg { name: "up", kind: Kind::Duration, usual: "800ms", about: "how long it runs between" },
];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    beat: Some(|args| Beat { on: args.duration("down"), off: args.duration("up") }),
    ..Fault::plain(
        "crash-loop",
        "Kills the same nodes (SIGKILL) again and again, and starts them each time.",
        Capability::Processes,
        |scene| Decision::nodes(Break::Kill, scene),
    )
};
