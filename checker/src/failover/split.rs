//! Split brain: two sides that took writes while no message crossed between them.

use serde::Serialize;

use crate::faults::Fault;
use crate::history::History;
use crate::profile::measured::ms;

/// A total partition of which two sides took writes.
#[derive(Clone, Debug, Serialize)]
pub struct SplitBrain {
    /// The number of the fault.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The sides that took writes.
    pub sides: Vec<Vec<String>>,
    /// From when on two of them had, in seconds.
    pub from_s: f64,
    /// For how long at least both of two sides took writes, in milliseconds.
    pub for_ms: f64,
}

/// Each partition of which two sides took writes that were begun after it was in force and
/// acknowledged before it was undone: neither side can have asked the other.
pub(super) fn split_brain(history: &History, faults: &[Fault]) -> Vec<SplitBrain> {
    faults.iter().filter_map(|fault| of_fault(history, fault)).collect()
}

fn of_fault(history: &History, fault: &Fault) -> Option<SplitBrain> {
    let (from, until) = fault.in_force(history)?;
    let islands = fault.islands(history.nodes().len());
    if islands.len() < 2 {
        return None;
    }
    let operations = history.operations();
    let first = operations.partition_point(|operation| operation.invoked < from);
    let end = operations.partition_point(|operation| operation.invoked < until);
    // Of each side when a write was first acknowledged and when one was last begun.
    let mut took: Vec<Option<(u64, u64)>> = vec![None; islands.len()];
    for write in operations[first..end].iter().filter(|one| one.is_ok() && !one.is_read()) {
        let Some(completed) = write.completed().filter(|completed| *completed < until) else {
            continue;
        };
        let at_node = |side: &Vec<_>| write.node().is_some_and(|node| side.contains(&node));
        let Some(side) = islands.iter().position(at_node) else { continue };
        let (first_ns, last_ns) =
            took[side].get_or_insert((completed.time_ns, write.invoked.time_ns));
        *first_ns = completed.time_ns.min(*first_ns);
        *last_ns = write.invoked.time_ns.max(*last_ns);
    }
    let mut sides: Vec<(usize, u64, u64)> = took
        .iter()
        .enumerate()
        .filter_map(|(side, took)| took.map(|(first, last)| (side, first, last)))
        .collect();
    let all = sides
        .iter()
        .map(|(side, ..)| islands[*side].iter().map(|node| history[*node].clone()).collect());
    let all: Vec<Vec<String>> = all.collect();
    // Of three sides or more: of every two, and from when the first two had.
    let mut for_ns = 0;
    for (at, one) in sides.iter().enumerate() {
        for other in &sides[at + 1..] {
            for_ns = for_ns.max(one.2.min(other.2).saturating_sub(one.1.max(other.1)));
        }
    }
    sides.sort_unstable_by_key(|(_, first_ns, _)| *first_ns);
    let from_ns = sides.get(1)?.1;
    Some(SplitBrain {
        id: fault.id,
        name: fault.name.clone(),
        sides: all,
        from_s: from_ns as f64 / 1e9,
        for_ms: ms(for_ns),
    })
}
