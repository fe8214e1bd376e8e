//! Sequential consistency (Lamport 1979): one order of all operations explains every answer and keeps the
//! order of each session. A compare-and-set is one step of it.
//!
//! To decide that is NP-hard even where it is known which write each read read from (Gibbons and Korach
//! 1997). So, cheapest first: causal convergence and causal memory, which it implies; one guess, the
//! order in which the sessions agree on the writes of each key, which is right or wrong in O(n), and is mended where
//! it is wrong; steps that every order must keep (Zennou, Bouajjani, Enea and Erradi 2019); and a search.

use super::Guarantee;
use crate::ladder::argument::{Argument, End, Rules, argue};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::{Kept, tell_if};
use crate::ladder::order::topological;
use crate::ladder::repair::{Repaired, repair, writes};
use crate::ladder::rung::Rung;
use crate::ladder::saturate::{Saturated, saturate};
use crate::ladder::search::{Search, search};
use crate::ladder::sessions::{NONE, Sessions};
use crate::ladder::view::Conflict;

/// States of the last search.
const STATES: usize = 200_000;

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
    let order = match facts.convergent_order() {
        Err(_) => return facts.exhausted(),
        Ok(Err(conflict)) => return Answer::Invalid(conflict.clone()),
        Ok(Ok(order)) => order,
    };
    match repair(sessions, writes(sessions, &order.nodes)) {
        Repaired::Explained => return Answer::Valid,
        Repaired::Broken(nodes) => return Answer::Invalid(Conflict { nodes }),
        Repaired::Stuck => {}
    }
    if facts.causal().is_invalid() {
        return facts.causal().clone();
    }
    if sessions.len().saturating_mul(sessions.sessions()) > SATURATED {
        return Answer::Unknown(format!(
            "budget: no order was guessed, none of the places where the guesses fail rules it out, and {} \
             sessions' {} reads and writes are too many for more",
            sessions.sessions(),
            sessions.len()
        ));
    }
    let edges = match saturate(sessions) {
        Saturated::Broken(nodes) => return Answer::Invalid(Conflict { nodes }),
        Saturated::Edges(edges) => edges,
    };
    let order = match topological(sessions, Sequential, 0, Some(&edges)) {
        Err(nodes) => return Answer::Invalid(Conflict { nodes }),
        Ok(order) => order,
    };
    if let Repaired::Explained = repair(sessions, writes(sessions, &order.nodes)) {
        return Answer::Valid;
    }
    match search(sessions, &edges, &order.position, STATES) {
        Search::Found(_) => Answer::Valid,
        Search::None => Answer::Invalid(Conflict { nodes: (0..sessions.len() as u32).collect() }),
        Search::Exhausted(states) => {
            Answer::Unknown(format!("budget: the search for an order ended after {states} states"))
        }
    }
}
