//! Linearizability (Herlihy and Wing 1990). It is decided key by key from what really came first, before the
//! ladder is climbed.

use super::Guarantee;
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::rung::Rung;

pub(crate) struct Linearizable;

impl Guarantee for Linearizable {
    fn rung(&self) -> Rung {
        Rung::Linearizable
    }

    fn implies(&self) -> &'static [Rung] {
        &[Rung::Sequential]
    }

    fn procedure(&self) -> &'static str {
        "key by key"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        Answer::known(&facts.linearizable)
    }
}
