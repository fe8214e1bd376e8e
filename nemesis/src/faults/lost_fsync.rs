//! `lost-fsync`: the power goes, and with it what was not fsynced.

use super::{Break, Capability, Decision, Fault, Takes};

pub(super) const FAULT: Fault = Fault {
    aliases: &["power-cut"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "lost-fsync",
        "Cuts the power of nodes: they are killed, what was not fsynced is gone, and they start again on the rest.",
        Capability::Disks,
        |scene| Decision::nodes(Break::PowerCut { keep_percent: None }, scene),
    )
};
