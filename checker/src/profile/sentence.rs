//! What the system is, in one sentence.

use super::cell::{percent, time};
use super::healing::Healing;
use super::measured::{Divergence, Staleness};
use crate::cap::{Cap, CapVerdict, CapWindow, Side};
use crate::verdict::Verdict;

/// The verdict with the figures for it.
pub(super) fn sentence(
    cap: &CapVerdict,
    linearizable: &Verdict,
    staleness: Option<&Staleness>,
    divergence: Option<&Divergence>,
    convergence: &[Healing],
) -> String {
    let judged: Vec<&CapWindow> =
        cap.windows.iter().filter(|window| window.not_judged.is_none()).collect();
    let cuts = match judged.len() {
        1 => "1 judged partition".to_owned(),
        count => format!("{count} judged partitions"),
    };
    let sides = |pick: fn(&Side) -> bool| {
        let of = || judged.iter().flat_map(|window| &window.sides).filter(|side| pick(side));
        let due: u64 = of().map(|side| side.due).sum();
        let answered: f64 = of().map(|side| side.answered as f64).sum();
        (due > 0).then(|| format!("{} of {due} operations", percent(answered / due as f64)))
    };
    let share = |share: Option<String>| share.unwrap_or_else(|| "none".to_owned());
    let (majority, others) = (sides(|side| side.majority), sides(|side| !side.majority));
    let served = format!(
        "in {cuts} the majority answered {}, the others {}",
        share(majority),
        share(others)
    );
    let mut wrong = Vec::new();
    if let Some(staleness) = staleness.filter(|staleness| staleness.stale > 0) {
        let oldest =
            staleness.oldest_ms.map_or(String::new(), |ms| format!(", up to {} old", time(ms)));
        wrong.push(format!("{} of {} reads were stale{oldest}", staleness.stale, staleness.reads));
    }
    if let Some(divergence) = divergence.filter(|divergence| divergence.diverged > 0) {
        wrong.push(format!("nodes differed for {} at least", time(divergence.longest_ms)));
    }
    let slowest =
        convergence.iter().filter_map(|healing| healing.at_most_ms).max_by(f64::total_cmp);
    if !wrong.is_empty() {
        wrong.extend(slowest.map(|ms| format!("agreed within {} of the heal", time(ms))));
    }
    let wrong = if wrong.is_empty() { String::new() } else { format!("; {}", wrong.join(", ")) };
    match (cap.cap, &cap.reason) {
        (Some(Cap::Cp), _) => format!("CP: linearizable throughout; {served}"),
        (Some(Cap::Ap), _) => {
            format!("AP: not linearizable, and every side served; {served}{wrong}")
        }
        (Some(Cap::Ca), _) => {
            format!("CA until partitioned: linearizable and serving before; {served}{wrong}")
        }
        (Some(Cap::Neither), _) => {
            let linearizable = match linearizable {
                Verdict::Valid => "linearizable",
                Verdict::Invalid => "not linearizable",
                Verdict::Unknown { .. } => "not known to be linearizable",
            };
            format!("neither CP nor AP: {linearizable}; {served}{wrong}")
        }
        (None, Some(reason)) => format!("CP or AP is not decided: {reason}{wrong}"),
        (None, None) => format!("CP or AP is not decided{wrong}"),
    }
}
