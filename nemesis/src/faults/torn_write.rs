//! `torn-write`: the power goes in the middle of a write.

use super::{Arg, Break, Capability, Decision, Fault, Kind, Takes};

const ARGS: &[Arg] = &[Arg {
    name: "keep",
    kind: Kind::Percent,
    usual: "50%",
    about: "how much of a write that was not fsynced is left",
}];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "torn-write",
        "Cuts the power of nodes in the middle of the last write to each file, of which only the beginning is left.",
        Capability::Disks,
        |scene| {
            let keep_percent = Some(scene.args.number("keep") as u8);
            Decision::nodes(Break::PowerCut { keep_percent }, scene)
        },
    )
};
