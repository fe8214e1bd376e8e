//! Which transaction comes before which, by sessions and by time.

use super::graph::{Edge, Edges};
use super::material::Material;

/// Adds the edges of the sessions: what one process did, one after another.
pub(crate) fn add_sessions(material: &Material<'_>, happened: &[bool], edges: &mut Edges) {
    let mut last = rustc_hash::FxHashMap::default();
    for transaction in (0..material.len()).filter(|one| happened[*one as usize]) {
        let process = material.operation(transaction).process;
        if let Some(before) = last.insert(process, transaction) {
            edges.add(Edge::Session, before, transaction);
        }
    }
}

/// Adds that what had completed comes before what is invoked, by way of moments: nodes that come after
/// all that had completed before them and before all that is invoked after them. So there are no more
/// than three edges for each transaction, however many were open at once.
pub(crate) fn add_real_time(
    material: &Material<'_>,
    happened: &[bool],
    edges: &mut Edges,
    next_node: &mut u32,
) {
    let happened = (0..material.len()).filter(|one| happened[*one as usize]);
    let mut completed: Vec<(u64, u32)> = happened
        .clone()
        .filter(|one| material.operation(*one).is_ok())
        .filter_map(|one| Some((material.operation(one).completed()?.index, one)))
        .collect();
    completed.sort_unstable();
    let mut completed = completed.into_iter().peekable();
    let mut moment = None;
    for transaction in happened {
        let invoked = material.operation(transaction).invoked.index;
        let mut is_new = false;
        while let Some((_, before)) = completed.next_if(|(index, _)| *index < invoked) {
            if !std::mem::replace(&mut is_new, true) {
                if let Some(earlier) = moment {
                    edges.add(Edge::RealTime, earlier, *next_node);
                }
                moment = Some(*next_node);
                *next_node += 1;
            }
            edges.add(Edge::RealTime, before, *next_node - 1);
        }
        if let Some(moment) = moment {
            edges.add(Edge::RealTime, moment, transaction);
        }
    }
}
