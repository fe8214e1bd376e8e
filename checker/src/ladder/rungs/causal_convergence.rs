//! Causal convergence (Bouajjani et al. 2017; causal+ of Lloyd et al. 2011): one order of all operations,
//! which keeps the causal order, in which each read returns the last write of its key among those that are
//! causally before it.
//!
//! If a write u is causally before a read that returned another write w of its key, u comes before w in the
//! order. Together with the causal order that must have no cycle.

use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Guarantee;
use super::causal::Causal;
use crate::ladder::argument::{Argument, argue_convergence};
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
    // Nearly always all sessions agree on the write that follows, so it is kept once.
    let follows: Vec<AtomicU32> = (0..sessions.len()).map(|_| AtomicU32::new(NONE)).collect();
    let others = Mutex::new(Vec::new());
    let stopped = facts.ask_all(|view, reader| {
        if view.rank(Causal, reader, causal, facts.visits()).is_err() {
            return Some(Err(Exhausted));
        }
        let edges = match view.direct() {
            Ok(edges) => edges,
            Err(conflict) => return Some(Ok(conflict)),
        };
        let mut different = Vec::new();
        for (write, seen) in edges {
            let follows = &follows[write as usize];
            let (kept, relaxed) = (NONE, Ordering::Relaxed);
            match follows.compare_exchange(kept, seen.source, relaxed, relaxed) {
                Err(known) if known != seen.source => different.push((write, seen.source)),
                _ => {}
            }
        }
        others.lock().expect("no panic").append(&mut different);
        None
    });
    match stopped {
        Some(Err(exhausted)) => return Err(exhausted),
        Some(Ok(conflict)) => return Ok(Err(conflict)),
        None => {}
    }
    let mut edges = others.into_inner().expect("no panic");
    edges.extend(follows.into_iter().zip(0..).map(|(to, from)| (from, to.into_inner())));
    edges.retain(|(_, to)| *to != NONE);
    // Which was kept first was chance.
    edges.par_sort_unstable();
    edges.dedup();
    let back =
        |(from, to): &(u32, u32)| causal.position[*from as usize] > causal.position[*to as usize];
    if !edges.iter().any(back) {
        return Ok(Ok(causal.clone()));
    }
    let edges = Edges::new(sessions.len(), &edges);
    Ok(topological(sessions, Causal, 0, Some(&edges)).map_err(|nodes| Conflict { nodes }))
}
