//! `eio`: the disk gives errors.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::disk::Condition;

const ARGS: &[Arg] =
    &[Arg { name: "percent", kind: Kind::Percent, usual: "10%", about: "how many of them" }];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "eio",
        "Answers reads, writes, fsyncs and changes of names on the nodes' disks with an error (EIO).",
        Capability::Disks,
        |scene| {
            let condition =
                Condition { eio_percent: scene.args.number("percent"), ..Condition::default() };
            Decision::disk(condition, scene)
        },
    )
};
