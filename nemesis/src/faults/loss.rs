//! `loss`: packets are lost, singly or in runs.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Quality, Share};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[
        Arg { name: "loss", kind: Kind::Percent, usual: "20%", about: "how many are lost" },
        Arg {
            name: "burst",
            kind: Kind::Count,
            usual: "1",
            about: "how many are lost in a row, in the mean; 1 for no connection between losses",
        },
    ],
    ..Fault::plain(
        "loss",
        "Loses packets over the links, without a pattern or in bursts.",
        Capability::Packets,
        |scene| {
            let loss = Share::percent(scene.args.number("loss"));
            let burst = scene.args.number("burst") as u32;
            Decision::shape(Quality { loss, burst, ..Quality::default() }, scene)
        },
    )
};
