//! `pause`: processes stand still, and later go on as if nothing had happened.

use super::{Break, Capability, Decision, Fault, Takes};

pub(super) const FAULT: Fault = Fault {
    aliases: &["hang"],
    takes: Takes::Nodes,
    ..Fault::plain(
        "pause",
        "Stops nodes (SIGSTOP) and later lets them go on (SIGCONT).",
        Capability::Processes,
        |scene| Decision::nodes(Break::Pause, scene),
    )
};
