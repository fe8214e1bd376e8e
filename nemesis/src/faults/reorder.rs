//! `reorder`: packets overtake each other.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Quality, Share};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[
        Arg {
            name: "reorder",
            kind: Kind::Percent,
            usual: "25%",
            about: "how many overtake those before them",
        },
        Arg {
            name: "delay",
            kind: Kind::Duration,
            usual: "10ms",
            about: "how much later all the others arrive",
        },
    ],
    ..Fault::plain(
        "reorder",
        "Delays packets over the links except for some, which overtake the others.",
        Capability::Packets,
        |scene| {
            let reorder = Share::percent(scene.args.number("reorder"));
            let delay_us = scene.args.duration("delay").as_micros() as u64;
            Decision::shape(Quality { reorder, delay_us, ..Quality::default() }, scene)
        },
    )
};
