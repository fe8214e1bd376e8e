//! `duplicate`: packets arrive twice.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Quality, Share};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[Arg {
        name: "duplicate",
        kind: Kind::Percent,
        usual: "20%",
        about: "how many arrive twice",
    }],
    ..Fault::plain(
        "duplicate",
        "Lets some packets over the links arrive twice.",
        Capability::Packets,
        |scene| {
            let duplicate = Share::percent(scene.args.number("duplicate"));
            Decision::shape(Quality { duplicate, ..Quality::default() }, scene)
        },
    )
};
