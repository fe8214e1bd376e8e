//! Read your writes (Terry et al. 1994): a session sees what it wrote. Its reads and all writes have a
//! legal serialization that keeps its own writes before its later reads of their keys, and each session's
//! writes of one key.
//!
//! The reads of the session have no order here, so each can go right after the write that it returned,
//! and only the session's own writes of the key can be in the way.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::{INITIAL, NONE, Sessions};
use crate::ladder::view::Conflict;

#[derive(Clone, Copy)]
pub(crate) struct ReadYourWrites;

impl Kept for ReadYourWrites {
    fn before(self, sessions: &Sessions, reader: u32, node: u32, mut tell: impl FnMut(u32)) {
        if sessions.is_write(node) || sessions[node].session == reader {
            tell_if(sessions[node].previous_on_key, &mut tell);
            tell_if(sessions[node].source, &mut tell);
        }
    }
}

impl Guarantee for ReadYourWrites {
    fn rung(&self) -> Rung {
        Rung::ReadYourWrites
    }

    fn procedure(&self) -> &'static str {
        "one pass: reads that return less than the session wrote"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        decide(facts)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}

fn decide(facts: &Facts<'_>) -> Answer {
    let sessions = facts.sessions;
    let hidden = |node: &u32| {
        let (source, own) = (sessions[*node].source, sessions[*node].previous_on_key);
        let is_older = || {
            source == INITIAL || source < own && sessions[source].session == sessions[own].session
        };
        !sessions.is_write(*node) && own != NONE && is_older()
    };
    match (0..sessions.len() as u32).find(hidden) {
        None => Answer::Valid,
        Some(read) => {
            let nodes = vec![sessions[read].previous_on_key, read];
            Answer::Invalid(Conflict { nodes })
        }
    }
}
