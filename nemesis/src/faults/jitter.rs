//! `jitter`: packets come later, each by another time.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::shaping::{Distribution, Quality};

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Links,
    args: &[
        Arg {
            name: "jitter",
            kind: Kind::Duration,
            usual: "20ms",
            about: "how far delays spread around their mean",
        },
        Arg { name: "delay", kind: Kind::Duration, usual: "50ms", about: "the mean delay" },
        Arg {
            name: "distribution",
            kind: Kind::Word(&["normal", "pareto"]),
            usual: "normal",
            about: "how delays lie around their mean",
        },
    ],
    ..Fault::plain(
        "jitter",
        "Delays each packet over the links by a time of its own, so that some overtake others.",
        Capability::Shaping,
        |scene| {
            let micros = |name| scene.args.duration(name).as_micros() as u64;
            let distribution = match scene.args.word("distribution") {
                "pareto" => Distribution::Pareto,
                _ => Distribution::Normal,
            };
            let (delay_us, jitter_us) = (micros("delay"), micros("jitter"));
            Decision::shape(
                Quality { delay_us, jitter_us, distribution, ..Quality::default() },
                scene,
            )
        },
    )
};
