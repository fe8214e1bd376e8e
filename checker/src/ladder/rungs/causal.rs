//! Causal memory (Ahamad et al. 1995): each session's reads and all writes have a legal serialization
//! that keeps the causal order, which is the least that holds session order and reads-from.

use super::Guarantee;
use crate::ladder::argument::{Argument, argue_view};
use crate::ladder::clocks::Joins;
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::Sessions;

#[derive(Clone, Copy)]
pub(crate) struct Causal;

impl Kept for Causal {
    fn before(self, sessions: &Sessions, _: u32, node: u32, mut tell: impl FnMut(u32)) {
        tell_if(sessions[node].previous, &mut tell);
        tell_if(sessions[node].source, &mut tell);
    }

    fn joins(self) -> Option<Joins> {
        Some(Joins::Past)
    }

    fn letters(self) -> &'static str {
        "CO"
    }
}

impl Guarantee for Causal {
    fn rung(&self) -> Rung {
        Rung::Causal
    }

    fn implies(&self) -> &'static [Rung] {
        &[Rung::WeakCausal, Rung::Pram, Rung::WritesFollowReads]
    }

    fn procedure(&self) -> &'static str {
        "each session: saturation of its view (CyclicHB)"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        facts.causal().clone()
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_view(*self, sessions)
    }
}
