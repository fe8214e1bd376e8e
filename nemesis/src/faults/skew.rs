//! `skew`: the clock is wrong.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::clock::Deviation;

const ARGS: &[Arg] = &[Arg {
    name: "by",
    kind: Kind::Shift,
    usual: "5s",
    about: "how far ahead, or with a minus behind",
}];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "skew",
        "Sets the nodes' clocks ahead of the others, or behind them.",
        Capability::Clocks,
        |scene| {
            let deviation =
                Deviation { offset_ns: scene.args.shift_ns("by"), ..Deviation::default() };
            Decision::clock(deviation, scene)
        },
    )
};
