//! Weak causal consistency (CC of Bouajjani et al. 2017): each read returns a write of its key that is the
//! last in some order of those causally before it; two reads may take two orders.
//!
//! That fails exactly if a read of the value before every write has a write of its key causally before it,
//! or if between a write and a read of it, in the causal order, there is another write of its key.

use rustc_hash::FxHashSet;

use super::Guarantee;
use super::causal::Causal;
use crate::ladder::argument::{Argument, argue_weak};
use crate::ladder::facts::{Answer, Facts};
use crate::ladder::kept::Kept;
use crate::ladder::order::Order;
use crate::ladder::rung::Rung;
use crate::ladder::sessions::{INITIAL, Sessions};
use crate::ladder::view::{Conflict, Seen};

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
    let order = match facts.causal_order() {
        Ok(order) => order,
        Err(cycle) => return Answer::Invalid(Conflict { nodes: cycle.clone() }),
    };
    let position = |node: u32| order.position[node as usize];
    let found = facts.ask_all(|view, reader| {
        if view.rank(Causal, reader, order, facts.visits()).is_err() {
            return Some(facts.exhausted());
        }
        if let Err(conflict) = view.direct() {
            return Some(Answer::Invalid(conflict));
        }
        let mut left = facts.visits();
        let mut asked = FxHashSet::default();
        let oldest = oldest_sources(view.seen(), position);
        for write in view.writes() {
            let after = view.after(*write);
            if oldest.get(after.start).is_none_or(|oldest| *oldest >= position(*write)) {
                continue;
            }
            for seen in &view.seen()[after] {
                if seen.source == INITIAL {
                    let nodes = vec![*write, seen.node];
                    return Some(Answer::Invalid(Conflict { nodes }));
                }
                let suspect = position(seen.source) < position(*write);
                if !suspect || !asked.insert((seen.source, *write)) {
                    continue;
                }
                match comes_before(facts.sessions, order, seen.source, *write, &mut left) {
                    None => return Some(facts.exhausted()),
                    Some(true) => {
                        let nodes = vec![seen.source, *write, seen.node];
                        return Some(Answer::Invalid(Conflict { nodes }));
                    }
                    Some(false) => {}
                }
            }
        }
        None
    });
    found.unwrap_or(Answer::Valid)
}

/// For each read the first position of what it or a later read of its key read from.
fn oldest_sources(seen: &[Seen], position: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut oldest = vec![u32::MAX; seen.len()];
    for (at, one) in seen.iter().enumerate().rev() {
        let own = if one.source == INITIAL { 0 } else { position(one.source) };
        let later = seen.get(at + 1).filter(|later| later.key == one.key);
        oldest[at] = later.map_or(own, |_| own.min(oldest[at + 1]));
    }
    oldest
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
