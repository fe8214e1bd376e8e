//! `delay`: packets come later.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::Quality;

pub(super) const FAULT: Fault = Fault {
    aliases: &["latency"],
    takes: Takes::Links,
    args: &[Arg {
        name: "delay",
        kind: Kind::Duration,
        usual: "100ms",
        about: "how much later every packet arrives",
    }],
    ..Fault::plain(
        "delay",
        "Delays every packet over the links between nodes.",
        Capability::Shaping,
        |scene| {
            let delay_us = scene.args.duration("delay").as_micros() as u64;
            Decision::shape(Quality { delay_us, ..Quality::default() }, scene)
        },
    )
};
