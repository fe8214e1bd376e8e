//! `bit-flip`: what lies on the disk is not what was written.

use super::{Arg, Break, Capability, Decision, Fault, Kind, Takes};
use crate::disk::Damage;

const ARGS: &[Arg] =
    &[Arg { name: "bits", kind: Kind::Count, usual: "8", about: "how many at each node" }];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "bit-flip",
        "Turns over bits in the nodes' files, drawn by lot, and mends at the end what was not written over.",
        Capability::Disks,
        |scene| {
            let damage = Damage::Flip { bits: scene.args.number("bits") as u64 };
            Decision::nodes(Break::Damage { damage, seed: scene.seed }, scene)
        },
    )
};
