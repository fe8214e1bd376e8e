//! Weak causal consistency (CC of Bouajjani et al. 2017): each read returns a write of its key that is the
//! last in some order of those causally before it; two reads may take two orders.
//!
//! That fails exactly if a read of the value before every write has a write of its key causally before it,
//! or if between a write and a read of it, in the causal order, there is another write of its key.

use rustc_hash::FxHashSet;

use super::Guarantee;
use super::causal::Causal;
use crate::ladder::argument::{Argument, argue_weak};
use crate::ladder::clocks::{Clocks, Joins};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::Kept;
use crate::ladder::order::Order;
use crate::ladder::rung::Rung;
use crate::ladder::sessions::{INITIAL, Sessions};
use crate::ladder::view::{Conflict, Exhausted};

pub(crate) struct WeakCausal;

impl Guarantee for WeakCausal {
    fn rung(&self) -> Rung {
        Rung::WeakCausal
    }

    fn procedure(&self) -> &'static str {
        "writes causally between a write and its read (WriteCORead)"
    }

    fn decide(&self, facts: &Facts<'_>) -> Answer {
        decide(facts)
    }

    fn argue(&self, sessions: &Sessions) -> Option<Argument> {
        argue_weak(sessions)
    }
}

fn decide(facts: &Facts<'_>) -> Answer {
    match facts.past() {
        Err(Exhausted) => facts.exhausted(),
        Ok(Past::Broken(conflict)) => Answer::Invalid(conflict.clone()),
        Ok(Past::InOrder | Past::Otherwise) => Answer::Valid,
    }
}

/// What reads return of the writes causally before them.
pub(crate) enum Past {
    /// Each the last in one causal order.
    InOrder,
    /// Each one that no other overwrites before it.
    Otherwise,
    Broken(Conflict),
}

/// Looks for a write between another and a read of that.
pub(crate) fn past(facts: &Facts<'_>) -> Result<Past, Exhausted> {
    let (sessions, order) = match facts.causal_order() {
        Ok(order) => (facts.sessions, order),
        Err(cycle) => return Ok(Past::Broken(Conflict { nodes: cycle.clone() })),
    };
    let mut in_order = true;
    // What was forgotten when it was asked for.
    let mut asked = Vec::new();
    let walked = Clocks::new(sessions, order, Joins::Past)?.each_read(|clocks, read| {
        let source = sessions[read].source;
        let own = if source == INITIAL { 0 } else { clocks.stamp(source) };
        for later in clocks.latest(read).filter(|stamp| *stamp > own) {
            in_order = false;
            let write = clocks.node(later);
            if source == INITIAL {
                return Err(Conflict { nodes: vec![write, read] });
            }
            match clocks.before(write) {
                Some(before) if before[clocks.place(source)] < own => {}
                Some(_) => return Err(Conflict { nodes: vec![source, write, read] }),
                None => asked.push((source, write, read)),
            }
        }
        Ok(())
    });
    if let Err(conflict) = walked {
        return Ok(Past::Broken(conflict));
    }
    asked.sort_unstable();
    asked.dedup_by_key(|(source, write, _)| (*source, *write));
    let mut left = facts.visits();
    for (source, write, read) in asked {
        match comes_before(sessions, order, source, write, &mut left) {
            None => return Err(Exhausted),
            Some(true) => return Ok(Past::Broken(Conflict { nodes: vec![source, write, read] })),
            Some(false) => {}
        }
    }
    Ok(if in_order { Past::InOrder } else { Past::Otherwise })
}

/// Whether one node is causally before another; `None` if that takes more steps than are left.
fn comes_before(
    sessions: &Sessions,
    order: &Order,
    one: u32,
    other: u32,
    left: &mut u64,
) -> Option<bool> {
    let position = |node: u32| order.position[node as usize];
    let mut met = FxHashSet::default();
    let mut open = vec![other];
    while let Some(node) = open.pop() {
        if node == one {
            return Some(true);
        }
        *left = left.checked_sub(1)?;
        Causal.before(sessions, 0, node, |before| {
            if position(before) >= position(one) && met.insert(before) {
                open.push(before);
            }
        });
    }
    Some(false)
}
