//! From anomalies to levels.

use super::Transactional;
use super::found::Found;
use super::levels::{LEVELS, with_stronger};
use crate::history::History;
use crate::ladder::{Ladder, Rung};
use crate::verdict::Verdict;

/// What is known of the levels.
#[derive(Default)]
pub(crate) struct Decided {
    ruled_out: Vec<Rung>,
    /// Levels for whose check the budget did not last.
    pub undecided: Vec<Rung>,
    /// Levels that hang on something that the history does not tell, and what that is.
    pub open: Vec<(Rung, &'static str)>,
}

impl Decided {
    /// Takes what anomalies rule out.
    pub fn rule_out(&mut self, found: &Found) {
        self.ruled_out.extend(found.0.iter().flat_map(|(instance, _)| instance.rules_out()));
    }

    /// Whether a level may hold for all that was found.
    pub fn may_hold(&self, level: Rung) -> bool {
        !self.ruled_out.contains(&level)
    }

    /// Leaves open what hangs on an order of all transactions, unless it was ruled out or proven.
    pub fn leave_open(&mut self, proven: &[Rung], why: &'static str) {
        let by_graph = [Rung::ReadUncommitted, Rung::ReadCommitted, Rung::MonotonicAtomicView]
            .into_iter()
            .chain([Rung::ReadAtomic, Rung::Causal]);
        let decided: Vec<Rung> = by_graph.collect();
        let is_proven =
            |level: Rung| proven.iter().any(|proven| with_stronger(level).contains(proven));
        let open =
            LEVELS.into_iter().filter(|level| !decided.contains(level) && !is_proven(*level));
        self.open.extend(open.map(|level| (level, why)));
    }

    /// The answer for each level that is defined for such a history. Nothing that is not known makes a
    /// stronger level valid.
    pub fn ladder(&self, history: &History) -> Ladder {
        let budget = || "budget: the cycles are too many to look at all".to_owned();
        let unknown = LEVELS.into_iter().rev().flat_map(|level| {
            let budget = self.undecided.contains(&level).then(budget);
            let open = self.open.iter().find(|(open, _)| *open == level);
            let why = budget.or(open.map(|(_, why)| (*why).to_owned()));
            why.into_iter().flat_map(move |why| {
                with_stronger(level).into_iter().map(move |level| (level, why.clone()))
            })
        });
        let mut ladder: Ladder = levels_of(history).map(|level| (level, Verdict::Valid)).collect();
        for (level, why) in unknown {
            ladder.entry(level).and_modify(|verdict| {
                *verdict = std::mem::replace(verdict, Verdict::Valid).and(Verdict::unknown(why));
            });
        }
        for level in &self.ruled_out {
            ladder.entry(*level).and_modify(|verdict| *verdict = Verdict::Invalid);
        }
        ladder
    }
}

/// The levels that are defined for a history: some hang on the order of time.
fn levels_of(history: &History) -> impl Iterator<Item = Rung> {
    let has_real_time = history.has_real_time();
    let by_time = [Rung::StrictSerializable, Rung::StrongSnapshotIsolation];
    LEVELS.into_iter().filter(move |level| has_real_time || !by_time.contains(level))
}

/// Nothing is known.
pub(crate) fn unknown(history: &History, why: &str) -> Transactional {
    let ladder = levels_of(history).map(|level| (level, Verdict::unknown(why))).collect();
    Transactional { ladder, violations: Vec::new() }
}
