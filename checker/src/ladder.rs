//! The consistency models that are checked.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::verdict::Verdict;

/// A consistency model (Viotti and Vukolic 2016), strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Herlihy and Wing 1990.
    Linearizable,
}

/// The answer for each model that was checked.
pub type Ladder = BTreeMap<Rung, Verdict>;

/// The valid models that no stronger valid one implies.
pub fn strongest(ladder: &Ladder) -> Vec<Rung> {
    ladder.iter().filter(|(_, verdict)| verdict.is_valid()).map(|(rung, _)| *rung).collect()
}
