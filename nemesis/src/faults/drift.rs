//! `drift`: the clock is too fast or too slow.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::clock::Deviation;

const ARGS: &[Arg] = &[Arg {
    name: "rate",
    kind: Kind::PartsPerMillion,
    usual: "50000ppm",
    about: "how much too fast, or with a minus too slow",
}];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "drift",
        "Makes the nodes' clocks run too fast, or too slow.",
        Capability::Clocks,
        |scene| {
            let drift_ppm = scene.args.number("rate") as i64;
            Decision::clock(Deviation { drift_ppm, ..Deviation::default() }, scene)
        },
    )
};
