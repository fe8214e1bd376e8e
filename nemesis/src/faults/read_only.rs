//! `read-only`: nothing on the disk can be changed.

use super::{Capability, Decision, Fault, Takes};
use crate::disk::Condition;

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    ..Fault::plain(
        "read-only",
        "Lets nothing on the nodes' disks be changed (EROFS), as after an error of the disk itself.",
        Capability::Disks,
        |scene| {
            let condition = Condition { read_only: true, ..Condition::default() };
            Decision::disk(condition, scene)
        },
    )
};
