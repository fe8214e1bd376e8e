//! `kill`: processes die without a warning.

use super::{Break, Capability, Decision, Fault, Takes};

pub(super) const FAULT: Fault = Fault {
    aliases: &["crash"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "kill",
        "Kills nodes (SIGKILL) and starts them again on the data that they left.",
        Capability::Processes,
        |scene| Decision::nodes(Break::Kill, scene),
    )
};
