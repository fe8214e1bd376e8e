//! `flapping`: a partition that comes and goes.

use super::{Arg, Beat, Capability, Decision, Fault, Kind};
use crate::grudge::Grudge;

const ARGS: &[Arg] = &[
    Arg { name: "on", kind: Kind::Duration, usual: "500ms", about: "how long it is cut" },
    Arg { name: "off", kind: Kind::Duration, usual: "500ms", about: "how long it is whole" },
];

pub(super) const FAULT: Fault = Fault {
    args: ARGS,
    beat: Some(|args| Beat { on: args.duration("on"), off: args.duration("off") }),
    ..Fault::plain(
        "flapping",
        "Cuts the same two halves, drawn by lot, apart again and again, with pauses between.",
        Capability::Links,
        |scene| Decision::cut(Grudge::random_halves(scene.at_least(2)?, &mut scene.rng())),
    )
};
