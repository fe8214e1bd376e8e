//! `full`: nothing more fits on the disk.

use super::{Capability, Decision, Fault, Takes};
use crate::disk::Condition;

pub(super) const FAULT: Fault = Fault {
    aliases: &["disk-full"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "full",
        "Leaves no space on the nodes' disks: nothing can be made and no file can grow (ENOSPC).",
        Capability::Disks,
        |scene| {
            let condition = Condition { full: true, ..Condition::default() };
            Decision::disk(condition, scene)
        },
    )
};
