//! `truncate`: files have lost their end.

use super::{Arg, Break, Capability, Decision, Fault, Kind, Takes};
use crate::disk::Damage;

const ARGS: &[Arg] =
    &[Arg { name: "bytes", kind: Kind::Bytes, usual: "64b", about: "how much of each file" }];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "truncate",
        "Cuts the end off each of the nodes' files, and puts it back at the end where nothing was written after it.",
        Capability::Disks,
        |scene| {
            let damage = Damage::Truncate { bytes: scene.args.number("bytes") as u64 };
            Decision::nodes(Break::Damage { damage, seed: scene.seed }, scene)
        },
    )
};
