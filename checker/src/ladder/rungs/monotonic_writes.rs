//! Monotonic writes (Terry et al. 1994): the writes of a session are seen in their order. A session's reads
//! and all writes have a legal serialization that keeps its reads and the writes of every session in
//! order.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::clocks::Joins;
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::Sessions;

#[derive(Clone, Copy)]
pub(crate) struct MonotonicWrites;

impl Kept for MonotonicWrites {
    fn before(self, sessions: &Sessions, reader: u32, node: u32, mut tell: impl FnMut(u32)) {
        if sessions.is_write(node) {
            tell_if(sessions[node].previous_write, &mut tell);
        } else if sessions[node].session == reader {
            tell_if(sessions[node].previous_read, &mut tell);
            tell_if(sessions[node].source, &mut tell);
        }
    }

    fn joins(self) -> Option<Joins> {
        Some(Joins::Writes { own: false })
    }
}

impl Guarantee for MonotonicWrites {
    fn rung(&self) -> Rung {
        Rung::MonotonicWrites
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        facts.each_session(*self)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}
