//! Transactions on lists: the whole way from a history to the levels.

use super::append::Versions;
use super::append_edges::{add_edges, happened};
use super::append_tell::Words;
use super::found::Found;
use super::graph::{Edges, Graph, ITEMS, REAL_TIME, SESSIONS};
use super::judge::{Decided, unknown};
use super::material::Material;
use super::order::{add_real_time, add_sessions};
use super::{Transactional, append_reads, append_weak, cycles, tell, unread};
use crate::history::History;
use crate::history::steps::{Action, Content};
use crate::judgement::Misfit;
use crate::ladder::Rung;

/// What such a transaction is.
const OPERATIONS: &str = "a transaction [[\"append\", key, element], [\"r\", key, [element, ...]]]";

/// Judges a history of transactions on lists.
pub(super) fn check(history: &History) -> Result<Transactional, Misfit> {
    let may_be = |action, content: Content<'_>| match action {
        Action::Append => matches!(content, Content::One(_)),
        Action::Read => content.is_null() || matches!(content, Content::List(_)),
        Action::Write => false,
    };
    let material = Material::of(history, may_be)
        .map_err(|operation| Misfit::of(operation, "list-append", OPERATIONS))?;
    let mut found = Found::default();
    let versions = match Versions::of(&material, &mut found) {
        Ok(versions) => versions,
        Err(repeated) => return Ok(unknown(history, &repeated.why(&material, "appended"))),
    };
    append_reads::look(&material, &versions, &mut found);
    let happened = happened(&material, &versions);
    let mut edges = Edges::default();
    let mut nodes = material.len();
    let unread = add_edges(&material, &versions, &happened, &mut edges, &mut nodes);
    add_sessions(&material, &happened, &mut edges);
    if history.has_real_time() {
        add_real_time(&material, &happened, &mut edges, &mut nodes);
    }
    let graph = Graph::new(material.len(), nodes, edges);
    let mut decided = Decided::default();
    for component in graph.cycles(ITEMS.and(REAL_TIME)) {
        let updates = |one: u32| material.writes(one);
        let searched = cycles::search(&graph, &component, &updates);
        decided.undecided.extend(&searched.undecided);
        searched.tell(&mut found);
    }
    for component in graph.cycles(ITEMS.and(SESSIONS)) {
        if !append_weak::look(&material, &versions, &graph, &component, &mut found) {
            decided.undecided.push(Rung::Causal);
        }
    }
    decided.rule_out(&found);
    unread::settle(&graph, &unread, &mut decided);
    let words = Words { material: &material, versions: &versions, unread: &unread };
    Ok(Transactional {
        violations: tell::violations(&material, &words, found),
        ladder: decided.ladder(history),
    })
}
