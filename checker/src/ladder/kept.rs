//! Which orders the serialization of one session keeps: all that tells one session rung from
//! another.

use super::clocks::Joins;
use super::sessions::{INITIAL, NONE, Sessions, WRITE};

/// The orders that a rung keeps, by their direct steps.
pub(crate) trait Kept: Copy + Sync {
    /// Tells the nodes directly before a node in the serialization of session `reader`. Reads of
    /// other sessions are no part of it; a rung may use them to join what comes before a write.
    fn before(self, sessions: &Sessions, reader: u32, node: u32, tell: impl FnMut(u32));

    /// What comes before a read in clocks, if a clock can tell that.
    fn joins(self) -> Option<Joins> {
        None
    }

    /// What the kept order is called in the name of a pattern: session order, or causal order.
    fn letters(self) -> &'static str {
        "SO"
    }

    /// The node that stands for a node in the kept order, where several are one step.
    fn unit(self, sessions: &Sessions, node: u32) -> u32 {
        let _ = sessions;
        node
    }
}

/// Tells a node that may be missing.
pub(crate) fn tell_if(node: u32, tell: &mut impl FnMut(u32)) {
    if !matches!(node, NONE | INITIAL | WRITE) {
        tell(node);
    }
}
