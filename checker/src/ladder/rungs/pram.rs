//! PRAM (Lipton and Sandberg 1988): each session sees the operations of each session in their order.
//! Its reads and all writes have a legal serialization that keeps all session order.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::clocks::Joins;
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::Sessions;

#[derive(Clone, Copy)]
pub(crate) struct Pram;

impl Kept for Pram {
    fn before(self, sessions: &Sessions, reader: u32, node: u32, mut tell: impl FnMut(u32)) {
        if sessions[node].session == reader {
            tell_if(sessions[node].previous, &mut tell);
            tell_if(sessions[node].source, &mut tell);
        } else if sessions.is_write(node) {
            tell_if(sessions[node].previous_write, &mut tell);
        }
    }

    fn joins(self) -> Option<Joins> {
        Some(Joins::Writes { own: true })
    }
}

impl Guarantee for Pram {
    fn rung(&self) -> Rung {
        Rung::Pram
    }

    fn implies(&self) -> &'static [Rung] {
        &[Rung::MonotonicWrites, Rung::MonotonicReads, Rung::ReadYourWrites]
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        facts.each_session(*self)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}
