//! Convergence (Vogels 2009), which the final reads show before the ladder is climbed. Nothing implies it, and it
//! implies nothing.

use super::Guarantee;
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::rung::Rung;

pub(crate) struct Converged;

impl Guarantee for Converged {
    fn rung(&self) -> Rung {
        Rung::Converged
    }

    fn procedure(&self) -> &'static str {
        "the last round of final reads"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        Answer::known(&facts.converged)
    }
}
