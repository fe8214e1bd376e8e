//! `memory`: a node gets too little memory, and dies if it takes more.

use super::{Arg, Break, Capability, Decision, Fault, Kind, Takes};

const ARGS: &[Arg] = &[Arg {
    name: "limit",
    kind: Kind::Bytes,
    usual: "8mb",
    about: "of memory, page cache included; who needs more is killed and starts again at the end",
}];

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "memory",
        "Limits the memory of nodes (cgroup limit).",
        Capability::Limits,
        |scene| Decision::nodes(Break::Memory { bytes: scene.args.number("limit") as u64 }, scene),
    )
};
