//! `bandwidth`: links are narrow.

use std::num::NonZeroU64;

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::Quality;

pub(super) const FAULT: Fault = Fault {
    aliases: &["throttle"],
    takes: Takes::Links,
    args: &[Arg {
        name: "rate",
        kind: Kind::Rate,
        usual: "1mbit",
        about: "how much each link carries in each direction",
    }],
    ..Fault::plain(
        "bandwidth",
        "Lets the links carry only so much; what has to wait too long is lost.",
        Capability::Shaping,
        |scene| {
            let bandwidth_bit_s = NonZeroU64::new(scene.args.number("rate") as u64);
            Decision::shape(Quality { bandwidth_bit_s, ..Quality::default() }, scene)
        },
    )
};
