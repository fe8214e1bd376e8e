//! Faults that cannot be in force together.

use super::Step;
use crate::faults::{Fault, Targets};
use crate::node::Capability;

/// The first two faults of a timeline that are to hit the same thing in two ways at the same time,
/// as far as that is certain before the run.
pub fn contradiction(timeline: &[Step], nodes: &[String]) -> Option<(usize, usize)> {
    let overlap = |one: &Step, other: &Step| {
        let ends_after = |step: &Step, at_ms| step.for_ms.is_none_or(|ms| step.at_ms + ms > at_ms);
        ends_after(one, other.at_ms) && ends_after(other, one.at_ms)
    };
    let pairs = (0..timeline.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    pairs.into_iter().find(|(a, b)| {
        let (one, other) = (&timeline[*a], &timeline[*b]);
        overlap(one, other)
            && excludes(one.choice.fault, other.choice.fault)
            && meet(&one.choice.targets, &other.choice.targets, nodes)
    })
}

/// Whether the two cannot hit the same node or link: cuts add up, and so do faults of different
/// kinds, but a process cannot be both dead and paused.
fn excludes(one: &Fault, other: &Fault) -> bool {
    match (one.needs, other.needs) {
        (Capability::Links, _) => false,
        (Capability::Processes, Capability::Processes) => true,
        _ => one.name == other.name,
    }
}

/// Whether the two certainly have a node or a link in common.
fn meet(one: &Targets, other: &Targets, nodes: &[String]) -> bool {
    match (one, other) {
        (Targets::Majority, Targets::Majority) => true,
        (Targets::Links(these), Targets::Links(those)) => these.iter().any(|l| those.contains(l)),
        _ => {
            let (these, those) = (certain(one, nodes), certain(other, nodes));
            let everything = |targets: &Targets| *targets == Targets::All;
            everything(one) || everything(other) || these.iter().any(|node| those.contains(node))
        }
    }
}

/// The nodes that are certainly among the targets.
fn certain<'a>(targets: &'a Targets, nodes: &'a [String]) -> &'a [String] {
    match targets {
        Targets::Named(names) => names,
        Targets::All => nodes,
        _ => &[],
    }
}
