//! What a store's runs say over time: one line for each target, workload and night, and gates on it.

mod gate;
mod measure;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::run::kept::Kept;

pub use gate::{Answer, Gate};
pub use measure::{Measured, Metric};

/// What was measured of one target with one workload in one night (a day of UTC).
#[derive(Clone, Debug)]
pub struct Night {
    /// What was tested.
    pub target: String,
    /// What clients did.
    pub workload: String,
    /// The day on which the runs began.
    pub date: NaiveDate,
    /// Over all its runs.
    pub measured: Measured,
}

/// The nights, by target and workload, the oldest first. Runs without a verdict are none, and
/// neither are those that were interrupted or failed in the harness: they say nothing of the target.
pub fn nights(runs: &[Kept]) -> Vec<Night> {
    let mut nights: BTreeMap<(String, String, NaiveDate), Measured> = BTreeMap::new();
    for run in runs {
        let Some(verdict) = &run.verdict else { continue };
        let interrupted =
            verdict["reason"].as_str().is_some_and(|why| why.starts_with("interrupted"));
        if interrupted || verdict["failure"].is_string() {
            continue;
        }
        let key = (run.target.clone(), run.workload.clone(), run.started.date_naive());
        nights.entry(key).or_default().add(verdict);
    }
    nights
        .into_iter()
        .map(|((target, workload, date), measured)| Night { target, workload, date, measured })
        .collect()
}

/// Of each target with each workload the last night.
pub fn latest(nights: &[Night]) -> Vec<&Night> {
    let same = |one: &Night, other: &Night| {
        (&one.target, &one.workload) == (&other.target, &other.workload)
    };
    let last = |at: usize| nights.get(at + 1).is_none_or(|next| !same(&nights[at], next));
    (0..nights.len()).filter(|at| last(*at)).map(|at| &nights[at]).collect()
}

#[cfg(test)]
mod tests;
