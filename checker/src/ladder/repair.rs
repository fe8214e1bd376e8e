//! A guess at the order of the writes, mended where it fails.
//!
//! With the writes of each key in some order, what has to come before what is a graph, and the guess explains
//! everything if that has no cycle. Else its strongly connected components are where it fails: a few operations each,
//! where the guess is near. Each is looked at with what is around it. If no order explains that, none explains
//! the whole; if another order does, the writes there take that order, and all is tried again, a few times.

use rayon::prelude::*;

use super::kept::Kept;
use super::order::{Edges, topological};
use super::rungs::sequential::Sequential;
use super::saturate::{Saturated, saturate};
use super::search::{Search, search};
use super::sessions::{INITIAL, NONE, Sessions};
use super::spans::{operations, part};
use crate::txn::components::components;

/// How often operations are gone through at most, rounds by operations.
const TRIED: usize = 1 << 21;
const ROUNDS: usize = 4;

/// Operations around a place in the first round, four times as many in the next.
const AROUND: u32 = 64;

/// Operations that are looked at in one place, and in all places of a round.
const PLACE: u32 = 1 << 11;
const PLACES: u32 = 1 << 14;

/// States of a search in one place.
const STATES: usize = 500;

pub(crate) enum Repaired {
    /// There is an order that explains everything.
    Explained,
    /// These nodes are part of a contradiction.
    Broken(Vec<u32>),
    Stuck,
}

/// What a place says.
enum Place {
    Broken(Vec<u32>),
    /// An order for its writes.
    Order(Vec<u32>),
    Unknown,
}

/// Tries the order of these writes, which are all, and others that are near.
pub(crate) fn repair(sessions: &Sessions, mut writes: Vec<u32>) -> Repaired {
    let rounds = (TRIED / sessions.len().max(1)).clamp(1, ROUNDS);
    for round in 0..rounds {
        let tangles = tangles(sessions, &writes);
        if tangles.is_empty() {
            return Repaired::Explained;
        }
        let places = places(sessions, &tangles, AROUND << (2 * round));
        if places.is_empty() {
            break;
        }
        let mut position = vec![NONE; sessions.len()];
        for (write, at) in writes.iter().zip(0..) {
            position[*write as usize] = at;
        }
        let found: Vec<Place> =
            places.par_iter().map(|(from, to)| look(sessions, *from, *to, &position)).collect();
        for place in found {
            match place {
                Place::Broken(nodes) => return Repaired::Broken(nodes),
                Place::Order(order) => {
                    let mut at: Vec<u32> =
                        order.iter().map(|write| position[*write as usize]).collect();
                    at.sort_unstable();
                    for (at, write) in at.into_iter().zip(order) {
                        writes[at as usize] = write;
                    }
                }
                Place::Unknown => {}
            }
        }
    }
    Repaired::Stuck
}

/// The nodes of all cycles, a list for those that belong together.
fn tangles(sessions: &Sessions, writes: &[u32]) -> Vec<Vec<u32>> {
    let unit = |node: u32| Sequential.unit(sessions, node);
    // By key the last write so far, and then for each write the one of its key that follows.
    let mut last = vec![NONE; sessions.keys];
    let mut first = vec![NONE; sessions.keys];
    let mut next = vec![NONE; sessions.len()];
    let mut edges = Vec::with_capacity(sessions.len());
    for node in writes.iter().copied() {
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
    // Cycles are the same backwards.
    components(sessions.len() as u32, |node| {
        let mut before = [NONE; 3];
        let mut count = 0;
        Sequential.before(sessions, 0, node, |one| {
            before[count] = one;
            count += 1;
        });
        let kept = before.into_iter().take(count);
        kept.chain(edges.ending_at(node).iter().map(|edge| edge.0))
    })
}

/// The spans of operations around tangles, apart from each other; none if they are too many.
fn places(sessions: &Sessions, tangles: &[Vec<u32>], around: u32) -> Vec<(u32, u32)> {
    let all = operations(sessions);
    let span = |nodes: &Vec<u32>| {
        let operation = |node: &u32| sessions[*node].operation;
        let first = nodes.iter().map(operation).min().unwrap_or(0);
        let last = nodes.iter().map(operation).max().unwrap_or(0);
        (first.saturating_sub(around), all.min(last + 1 + around))
    };
    let mut spans: Vec<(u32, u32)> = tangles.iter().map(span).collect();
    spans.sort_unstable();
    let mut places: Vec<(u32, u32)> = Vec::new();
    for (from, to) in spans {
        match places.last_mut() {
            Some(last) if from < last.1 => last.1 = last.1.max(to),
            _ => places.push((from, to)),
        }
    }
    places.retain(|(from, to)| to - from <= PLACE);
    let mut left = PLACES;
    let within = |(from, to): &(u32, u32)| {
        left = left.saturating_sub(to - from);
        left > 0
    };
    places.into_iter().take_while(within).collect()
}

/// Decides a span by itself.
fn look(sessions: &Sessions, from: u32, to: u32, position: &[u32]) -> Place {
    let part = part(sessions, from, to);
    let edges = match saturate(&part.sessions) {
        Saturated::Broken(nodes) => return Place::Broken(part.nodes(sessions, &nodes)),
        Saturated::Edges(edges) => edges,
    };
    let Ok(order) = topological(&part.sessions, Sequential, 0, Some(&edges)) else {
        return Place::Unknown;
    };
    let found = match tangles(&part.sessions, &writes(&part.sessions, &order.nodes)).is_empty() {
        true => writes(&part.sessions, &order.nodes),
        false => {
            // What was guessed first is tried first.
            let guessed: Vec<u32> = (0..part.sessions.len() as u32)
                .map(|node| {
                    let whole = part.node(sessions, node);
                    let write = match sessions[whole].source {
                        _ if sessions.is_write(whole) => whole,
                        INITIAL => return 0,
                        source => source,
                    };
                    position[write as usize]
                })
                .collect();
            match search(&part.sessions, &edges, &guessed, STATES) {
                Search::Found(writes) => writes,
                Search::None => {
                    let nodes: Vec<u32> = (0..part.sessions.len() as u32).collect();
                    return Place::Broken(part.nodes(sessions, &nodes));
                }
                Search::Exhausted(_) => return Place::Unknown,
            }
        }
    };
    let mut found = part.nodes(sessions, &found);
    found.retain(|node| (from..to).contains(&sessions[*node].operation));
    Place::Order(found)
}

/// The writes among nodes.
pub(crate) fn writes(sessions: &Sessions, nodes: &[u32]) -> Vec<u32> {
    nodes.iter().copied().filter(|node| sessions.is_write(*node)).collect()
}
