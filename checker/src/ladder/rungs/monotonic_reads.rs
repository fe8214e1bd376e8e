//! Monotonic reads (Terry et al. 1994): a session never sees less than it saw. Its reads and all writes
//! have a legal serialization that keeps its reads in order and each session's writes of one key.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::Sessions;

#[derive(Clone, Copy)]
pub(crate) struct MonotonicReads;

impl Kept for MonotonicReads {
    fn before(self, sessions: &Sessions, reader: u32, node: u32, mut tell: impl FnMut(u32)) {
        if sessions.is_write(node) {
            tell_if(sessions[node].previous_on_key, &mut tell);
        } else if sessions[node].session == reader {
            tell_if(sessions[node].previous_read, &mut tell);
            tell_if(sessions[node].source, &mut tell);
        }
    }
}

impl Guarantee for MonotonicReads {
    fn rung(&self) -> Rung {
        Rung::MonotonicReads
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        facts.each_session(*self)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}
