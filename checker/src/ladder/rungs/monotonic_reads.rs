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
        let at = node as usize;
        if sessions.is_write(node) {
            tell_if(sessions.previous_on_key[at], &mut tell);
        } else if sessions.session[at] == reader {
            tell_if(sessions.previous_read[at], &mut tell);
            tell_if(sessions.source[at], &mut tell);
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
