//! RPO: which acknowledged writes were lost.

use serde::Serialize;

use crate::faults::Fault;
use crate::history::{History, NodeId};
use crate::profile::measured::ms;
use crate::profile::seen::{Lost, Seen};

/// More keys are not named.
const KEYS_MOST: usize = 20;

/// Acknowledged writes that were lost, all of them or those that went with one fault.
///
/// Of keys that were written only once the number is exact: what no node holds in the end is gone,
/// since nothing can have replaced it. Of overwritten ones only that is counted which was surely
/// newer than what all nodes hold in the end: at least.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Loss {
    /// Acknowledged writes of keys that were written only once. Of the whole run.
    pub written_once: Option<u64>,
    /// Those of them that could not be decided, because not every node was read in the end, or
    /// because nodes differed. Of the whole run.
    pub undecided: Option<u64>,
    /// Lost writes of keys that were written only once.
    pub lost_once: Option<u64>,
    /// Lost writes of overwritten keys: at least.
    pub lost_at_least: Option<u64>,
    /// When the first of them was acknowledged, in seconds.
    pub from_s: Option<f64>,
    /// From there to when the last of them was acknowledged, in milliseconds.
    pub span_ms: Option<f64>,
    /// Their keys, at most 20.
    pub keys: Vec<String>,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Loss {
    /// All writes that were lost, as far as is known.
    pub fn lost(&self) -> Option<u64> {
        Some(self.lost_once? + self.lost_at_least?)
    }

    /// Of these writes.
    pub(super) fn of(history: &History, lost: &[Lost], seen: Result<&Seen, &str>) -> Loss {
        let unknown = |reason: &str| Loss { reason: Some(reason.to_owned()), ..Loss::default() };
        let seen = match seen {
            Ok(Seen { not_read_back: Some(reason), .. }) => return unknown(reason),
            Err(reason) => return unknown(reason),
            Ok(seen) => seen,
        };
        let once = lost.iter().filter(|lost| lost.only).count() as u64;
        let times_ns = || lost.iter().map(|lost| lost.acknowledged.time_ns);
        let mut keys: Vec<String> =
            lost.iter().map(|lost| history[lost.key].clone().unwrap_or_default()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(KEYS_MOST);
        Loss {
            written_once: Some(seen.written_once.acknowledged),
            undecided: Some(seen.written_once.undecided),
            lost_once: Some(once),
            lost_at_least: Some(lost.len() as u64 - once),
            from_s: times_ns().min().map(|first_ns| first_ns as f64 / 1e9),
            span_ms: times_ns().min().zip(times_ns().max()).map(|(first, last)| ms(last - first)),
            keys,
            reason: None,
        }
    }
}

/// For each fault that took a primary away the lost writes that go with it: those acknowledged
/// while it was felt, and those of the time before it back to the fault before.
pub(super) fn attributed(lost: &[Lost], takers: &[(&Fault, Vec<NodeId>)]) -> Vec<Vec<Lost>> {
    let mut attributed = vec![Vec::new(); takers.len()];
    for one in lost {
        let is_over = |(fault, _): &(&Fault, Vec<NodeId>)| {
            fault.healed.is_some_and(|healed| healed < one.acknowledged)
        };
        let at = takers.partition_point(is_over).min(takers.len().saturating_sub(1));
        if let Some(with_it) = attributed.get_mut(at) {
            with_it.push(*one);
        }
    }
    attributed
}
