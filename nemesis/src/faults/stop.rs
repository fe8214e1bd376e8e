//! `stop`: processes are asked to end, and may tidy up.

use super::{Break, Capability, Decision, Fault, Takes};

pub(super) const FAULT: Fault = Fault {
    aliases: &["shutdown"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "stop",
        "Asks nodes to end (SIGTERM) and starts them again on the data that they left.",
        Capability::Processes,
        |scene| Decision::nodes(Break::Stop, scene),
    )
};
