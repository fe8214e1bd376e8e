//! `corrupt`: a bit of what a packet carries is turned.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Quality, Share};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[Arg {
        name: "corrupt",
        kind: Kind::Percent,
        usual: "1%",
        about: "how many packets are damaged",
    }],
    ..Fault::plain(
        "corrupt",
        "Turns a bit in some packets over the links, which no checksum of TCP or UDP shows.",
        Capability::Packets,
        |scene| {
            let corrupt = Share::percent(scene.args.number("corrupt"));
            Decision::shape(Quality { corrupt, ..Quality::default() }, scene)
        },
    )
};
