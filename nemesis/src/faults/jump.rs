//! `jump`: the clock jumps again and again.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::clock::Deviation;

const ARGS: &[Arg] = &[
    Arg {
        name: "by",
        kind: Kind::Shift,
        usual: "1s",
        about: "how far ahead, or with a minus back",
    },
    Arg { name: "every", kind: Kind::Duration, usual: "1s", about: "the time between two jumps" },
];

pub(super) const FAULT: Fault = Fault {
    aliases: &["bump"],
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "jump",
        "Lets the nodes' clocks jump ahead, or back, at once and again and again.",
        Capability::Clocks,
        |scene| {
            let deviation = Deviation {
                jump_ns: scene.args.shift_ns("by"),
                jump_every_ns: scene.args.shift_ns("every"),
                ..Deviation::default()
            };
            Decision::clock(deviation, scene)
        },
    )
};
