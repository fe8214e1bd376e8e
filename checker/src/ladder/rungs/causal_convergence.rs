//! Causal convergence (Bouajjani et al. 2017; causal+ of Lloyd et al. 2011): one order of all operations,
//! which keeps the causal order, in which each read returns the last write of its key among those that are
//! causally before it.
//!
//! If a write u is causally before a read that returned another write w of its key, u comes before w in the
//! order. Together with the causal order that must have no cycle.

use std::convert::Infallible;

use super::Guarantee;
use super::causal::Causal;
use super::weak_causal::Past;
use crate::ladder::argument::{Argument, argue_convergence};
use crate::ladder::clocks::{Clocks, Joins};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::order::{Edges, Order, topological};
use crate::ladder::rung::Rung;
use crate::ladder::sessions::{NONE, Sessions};
use crate::ladder::view::{Conflict, Exhausted};

pub(crate) struct CausalConvergence;

impl Guarantee for CausalConvergence {
    fn rung(&self) -> Rung {
        Rung::CausalConvergence
    }

    fn implies(&self) -> &'static [Rung] {
        &[Rung::WeakCausal]
    }

    fn procedure(&self) -> &'static str {
        "causal order and conflicts in one graph (CyclicCF)"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        decide(facts)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_convergence(sessions)
    }
}

fn decide(facts: &Facts<'_>) -> Answer {
    match facts.convergent_order() {
        Ok(Ok(_)) => Answer::Valid,
        Ok(Err(conflict)) => Answer::Invalid(conflict.clone()),
        Err(Exhausted) => facts.exhausted(),
    }
}

/// Looks for the order.
pub(crate) fn order(facts: &Facts<'_>) -> Result<Result<Order, Conflict>, Exhausted> {
    let sessions = facts.sessions;
    let causal = match facts.causal_order() {
        Ok(causal) => causal,
        Err(cycle) => return Ok(Err(Conflict { nodes: cycle.clone() })),
    };
    match facts.past() {
        Err(Exhausted) => return Err(Exhausted),
        Ok(Past::Broken(conflict)) => return Ok(Err(conflict.clone())),
        Ok(Past::InOrder) => return Ok(Ok(causal.clone())),
        Ok(Past::Otherwise) => {}
    }
    // By write, the first that was found to follow. What follows that is known from it.
    let mut follows = vec![NONE; sessions.len()];
    let mut edges = Vec::new();
    Clocks::new(sessions, causal, Joins::Past)?
        .each_read(|clocks, read| {
            let source = sessions[read].source;
            // Before a read of the value before every write there is none.
            for stamp in clocks.latest(read).filter(|stamp| *stamp > 0) {
                let write = clocks.node(stamp);
                let follows = &mut follows[write as usize];
                if write == source || *follows == source {
                    continue;
                }
                if *follows == NONE {
                    *follows = source;
                    edges.push((write, source));
                } else if !clocks.has_seen(read, *follows) {
                    edges.push((write, source));
                }
            }
            Ok::<(), Infallible>(())
        })
        .unwrap_or_else(|never| match never {});
    let back =
        |(from, to): &(u32, u32)| causal.position[*from as usize] > causal.position[*to as usize];
    if !edges.iter().any(back) {
        return Ok(Ok(causal.clone()));
    }
    let edges = Edges::new(sessions.len(), &edges);
    Ok(topological(sessions, Causal, 0, Some(&edges)).map_err(|nodes| Conflict { nodes }))
}
