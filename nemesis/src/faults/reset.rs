//! `reset`: TCP connections are reset.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Quality, Share};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[Arg {
        name: "reset",
        kind: Kind::Percent,
        usual: "100%",
        about: "how many TCP segments are answered by a reset",
    }],
    ..Fault::plain(
        "reset",
        "Answers TCP segments over the links by a reset (RST), as a firewall does that forgot them.",
        Capability::Shaping,
        |scene| {
            let reset = Share::percent(scene.args.number("reset"));
            Decision::shape(Quality { reset, ..Quality::default() }, scene)
        },
    )
};
