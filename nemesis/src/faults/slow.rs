//! `slow`: the disk takes its time.

use super::{Arg, Capability, Decision, Fault, Kind, Takes};
use crate::disk::Condition;

const ARGS: &[Arg] = &[Arg {
    name: "delay",
    kind: Kind::Duration,
    usual: "100ms",
    about: "how much longer each takes",
}];

pub(super) const FAULT: Fault = Fault {
    aliases: &["slow-disk"],
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "slow",
        "Makes each read, write, fsync and change of a name on the nodes' disks take longer.",
        Capability::Disks,
        |scene| {
            let condition =
                Condition { delay: scene.args.duration("delay"), ..Condition::default() };
            Decision::disk(condition, scene)
        },
    )
};
