//! Writes follow reads (Terry et al. 1994): who sees a write sees what its session had read before. A
//! session's reads and all writes have a legal serialization that keeps its reads in order, each
//! session's writes of one key, and in every session the writer of an earlier read before a later
//! write.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::Sessions;

#[derive(Clone, Copy)]
pub(crate) struct WritesFollowReads;

impl Kept for WritesFollowReads {
    fn before(self, sessions: &Sessions, _: u32, node: u32, mut tell: impl FnMut(u32)) {
        tell_if(sessions[node].previous_read, &mut tell);
        if sessions.is_write(node) {
            tell_if(sessions[node].previous_on_key, &mut tell);
        } else {
            tell_if(sessions[node].source, &mut tell);
        }
    }
}

impl Guarantee for WritesFollowReads {
    fn rung(&self) -> Rung {
        Rung::WritesFollowReads
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        facts.each_session(*self)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}
