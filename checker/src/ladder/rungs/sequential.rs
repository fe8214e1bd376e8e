//! Sequential consistency (Lamport 1979): one order of all operations explains every answer and keeps the
//! order of each session. A compare-and-set is one step of it.
//!
//! To decide that is NP-hard even where it is known which write each read read from (Gibbons and Korach
//! 1997). So, cheapest first: causal convergence and causal memory, which it implies; one guess, the
//! order in which the sessions agree on the writes of each key, which is right or wrong in O(n); steps that
//! every order must keep (Zennou, Bouajjani, Enea and Erradi 2019), first in short spans of the history;
//! and a search.

use rayon::prelude::*;

use super::Guarantee;
use crate::ladder::argument::{Argument, End, Rules, argue};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::order::{Edges, Order, topological};
use crate::ladder::rung::Rung;
use crate::ladder::saturate::{Saturated, saturate};
use crate::ladder::search::{Search, search};
use crate::ladder::sessions::{INITIAL, NONE, Sessions};
use crate::ladder::view::Conflict;
use crate::ladder::witness::with_sources;

/// Operations of the spans that are looked at by themselves.
const SPAN: u32 = 128;

/// A history whose operations times sessions are more than this is not saturated as a whole.
const SATURATED: usize = 4_000_000;

#[derive(Clone, Copy)]
pub(crate) struct Sequential;

impl Kept for Sequential {
    fn before(self, sessions: &Sessions, _: u32, node: u32, mut tell: impl FnMut(u32)) {
        let unit = self.unit(sessions, node);
        if unit != node {
            return tell(unit);
        }
        let previous = sessions[node].previous;
        if previous != NONE {
            tell(self.unit(sessions, previous));
        }
        let source = sessions[node].source;
        tell_if(source, &mut |source| tell(self.unit(sessions, source)));
    }

    fn letters(self) -> &'static str {
        "CO"
    }

    /// A compare-and-set is one, by the name of its read.
    fn unit(self, sessions: &Sessions, node: u32) -> u32 {
        if sessions.is_second_half(node) { node - 1 } else { node }
    }
}

impl Guarantee for Sequential {
    fn rung(&self) -> Rung {
        Rung::Sequential
    }

    fn implies(&self) -> &'static [Rung] {
        &[Rung::Causal, Rung::CausalConvergence]
    }

    fn procedure(&self) -> &'static str {
        "one guess at the order, then steps that every order keeps, then a search"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        decide(facts)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        let rules = Rules {
            all_reads: true,
            nested: true,
            closing: true,
            overwrites: true,
            order: self.letters(),
            cyclic: "CyclicSC",
        };
        argue(*self, sessions, 0, rules).or_else(|| {
            let broken = self.decide(&Facts::of(sessions)).is_invalid();
            broken.then_some(Argument { steps: Vec::new(), end: End::Tried, shape: "NoOrder" })
        })
    }
}

fn decide(facts: &Facts<'_>) -> Answer {
    let sessions = facts.sessions;
    match facts.convergent_order() {
        Err(_) => return facts.exhausted(),
        Ok(Err(conflict)) => return Answer::Invalid(conflict.clone()),
        Ok(Ok(order)) if explains(sessions, order) => return Answer::Valid,
        Ok(Ok(_)) => {}
    }
    if facts.causal().is_invalid() {
        return facts.causal().clone();
    }
    let all = sessions.accesses.last().map_or(0, |access| access.operation + 1);
    if all > 2 * SPAN
        && let Some(nodes) = broken_span(sessions, all)
    {
        return Answer::Invalid(Conflict { nodes });
    }
    if sessions.len().saturating_mul(sessions.sessions()) > SATURATED {
        return Answer::Unknown(format!(
            "budget: no order was guessed, no {SPAN} operations in a row rule it out, and {} sessions' {} \
             reads and writes are too many for more",
            sessions.sessions(),
            sessions.len()
        ));
    }
    let edges = match saturate(sessions) {
        Saturated::Broken(nodes) => return Answer::Invalid(Conflict { nodes }),
        Saturated::Edges(edges) => edges,
    };
    match topological(sessions, Sequential, 0, Some(&edges)) {
        Err(nodes) => return Answer::Invalid(Conflict { nodes }),
        Ok(order) if explains(sessions, &order) => return Answer::Valid,
        Ok(_) => {}
    }
    match search(sessions, &edges) {
        Search::Found => Answer::Valid,
        Search::None => Answer::Invalid(Conflict { nodes: (0..sessions.len() as u32).collect() }),
        Search::Exhausted(states) => {
            Answer::Unknown(format!("budget: the search for an order ended after {states} states"))
        }
    }
}

/// Whether everything can be explained with the writes of each key in the order in which they are in
/// this one.
fn explains(sessions: &Sessions, order: &Order) -> bool {
    let unit = |node: u32| Sequential.unit(sessions, node);
    // By key the last write so far, and then for each write the one of its key that follows.
    let mut last = vec![NONE; sessions.keys];
    let mut first = vec![NONE; sessions.keys];
    let mut next = vec![NONE; sessions.len()];
    let mut edges = Vec::new();
    for node in order.nodes.iter().copied().filter(|node| sessions.is_write(*node)) {
        let key = sessions[node].key as usize;
        match std::mem::replace(&mut last[key], node) {
            NONE => first[key] = node,
            before => {
                next[before as usize] = node;
                edges.push((unit(before), unit(node)));
            }
        }
    }
    for node in 0..sessions.len() as u32 {
        let source = sessions[node].source;
        let follows = match source {
            _ if sessions.is_write(node) => NONE,
            INITIAL => first[sessions[node].key as usize],
            source => next[source as usize],
        };
        if follows != NONE && unit(follows) != unit(node) {
            edges.push((unit(node), unit(follows)));
        }
    }
    let edges = Edges::new(sessions.len(), &edges);
    topological(sessions, Sequential, 0, Some(&edges)).is_ok()
}

/// Operations of a short span that no order explains.
fn broken_span(sessions: &Sessions, all: u32) -> Option<Vec<u32>> {
    let starts: Vec<u32> = (0..all).step_by(SPAN as usize / 2).collect();
    let broken = |from: &u32| {
        let kept = sessions.only(&with_sources(sessions, *from, all.min(from + SPAN)));
        match saturate(&kept.sessions) {
            Saturated::Edges(_) => None,
            Saturated::Broken(nodes) => Some(
                nodes
                    .iter()
                    .map(|node| kept.operations[kept.sessions[*node].operation as usize])
                    .collect::<Vec<u32>>(),
            ),
        }
    };
    let operations = starts.par_iter().find_map_first(broken)?;
    let first =
        |operation: &u32| sessions.accesses.partition_point(|access| access.operation < *operation);
    Some(operations.iter().map(|operation| sessions.by_time[first(operation)]).collect())
}
