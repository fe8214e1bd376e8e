//! `strobe`: the clock goes to and fro.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::clock::Deviation;

const ARGS: &[Arg] = &[
    Arg {
        name: "by",
        kind: Kind::Shift,
        usual: "200ms",
        about: "how far ahead, or with a minus behind, the wrong one is",
    },
    Arg {
        name: "period",
        kind: Kind::Duration,
        usual: "10ms",
        about: "how long each of the two lasts",
    },
];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "strobe",
        "Lets the nodes' clocks change to and fro between the right time and a wrong one.",
        Capability::Clocks,
        |scene| {
            let deviation = Deviation {
                strobe_ns: scene.args.shift_ns("by"),
                strobe_period_ns: scene.args.shift_ns("period"),
                ..Deviation::default()
            };
            Decision::clock(deviation, scene)
        },
    )
};
