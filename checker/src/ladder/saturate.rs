//! Steps that every order keeps which explains all answers (Zennou, Bouajjani, Enea and Erradi, *Gradual
//! consistency checking*, CAV 2019).
//!
//! Beyond session order and reads-from: a write that comes before a read of its key which read from
//! another write comes before that write; and a read comes before every write of its key that comes
//! after the write it read from. Both are used until nothing is new or there is a cycle. Each round takes
//! O(n k) for n operations of k sessions.

use rustc_hash::FxHashSet;

use super::kept::Kept;
use super::order::{Cycle, Edges, topological};
use super::rungs::sequential::Sequential;
use super::sessions::{INITIAL, NONE, Sessions};

const FREE: u32 = u32::MAX;

/// All that follows.
pub(crate) enum Saturated {
    /// These nodes are part of a contradiction.
    Broken(Cycle),
    /// No contradiction: the steps that were found.
    Edges(Edges),
}

/// What one session does with one key, ascending by place in the session.
#[derive(Default)]
struct OnKey {
    /// The place, the unit, and what it read from.
    reads: Vec<(u32, u32, u32)>,
    /// The place and the unit.
    writes: Vec<(u32, u32)>,
}

pub(crate) fn saturate(sessions: &Sessions) -> Saturated {
    let unit = |node: u32| Sequential.unit(sessions, node);
    let mut readers: Vec<Vec<u32>> = vec![Vec::new(); sessions.len()];
    for node in 0..sessions.len() as u32 {
        if let source @ 0..NONE = sessions[node].source
            && !sessions.is_write(node)
        {
            readers[source as usize].push(unit(node));
        }
    }
    let on_keys: Vec<Vec<OnKey>> =
        (0..sessions.sessions() as u32).map(|session| on_keys(sessions, session)).collect();
    let mut found: Vec<(u32, u32)> = first_writes(sessions, &on_keys);
    let mut known: FxHashSet<(u32, u32)> = found.iter().copied().collect();
    let mut rank = vec![FREE; sessions.len()];
    loop {
        let edges = Edges::new(sessions.len(), &found);
        if let Err(cycle) = topological(sessions, Sequential, 0, Some(&edges)) {
            return Saturated::Broken(cycle);
        }
        let before = found.len();
        for (session, keys) in (0..).zip(&on_keys) {
            let ranked = rank_units(sessions, &edges, session, &mut rank);
            let mut add = |from: u32, to: u32| {
                if from != to && known.insert((from, to)) {
                    found.push((from, to));
                }
            };
            for node in ranked.iter().copied().filter(|node| sessions.is_write(*node)) {
                let OnKey { reads, writes } = &keys[sessions[node].key as usize];
                let (own, at) = (unit(node), rank[unit(node) as usize]);
                let after = &reads[reads.partition_point(|read| read.0 < at)..];
                match after.iter().find(|(_, read, source)| *source != node && *read != own) {
                    Some((_, read, INITIAL)) => return Saturated::Broken(vec![own, *read]),
                    Some((_, _, source)) => add(own, unit(*source)),
                    None => {}
                }
                let after = &writes[writes.partition_point(|write| write.0 < at)..];
                if let Some((place, write)) = after.iter().find(|(_, write)| *write != own) {
                    for reader in &readers[node as usize] {
                        if rank[*reader as usize] > *place {
                            add(*reader, *write);
                        }
                    }
                }
            }
            for node in ranked {
                rank[node as usize] = FREE;
            }
        }
        if found.len() == before {
            return Saturated::Edges(edges);
        }
    }
}

/// A read of the value before every write comes before each session's first write of the key.
fn first_writes(sessions: &Sessions, on_keys: &[Vec<OnKey>]) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for node in (0..sessions.len() as u32).filter(|node| sessions[*node].source == INITIAL) {
        let key = sessions[node].key as usize;
        let firsts = on_keys.iter().filter_map(|keys| keys[key].writes.first());
        found.extend(firsts.map(|(_, write)| (node, *write)).filter(|(read, write)| read != write));
    }
    found
}

fn on_keys(sessions: &Sessions, session: u32) -> Vec<OnKey> {
    let mut keys: Vec<OnKey> = (0..sessions.keys).map(|_| OnKey::default()).collect();
    let mut place = 0;
    for node in sessions.nodes_of(session) {
        let unit = Sequential.unit(sessions, node);
        place += u32::from(unit == node);
        let key = &mut keys[sessions[node].key as usize];
        match sessions.is_write(node) {
            true => key.writes.push((place, unit)),
            false => key.reads.push((place, unit, sessions[node].source)),
        }
    }
    keys
}

/// Gives each node the place of the first of a session's that comes after it, or is it; says which have
/// one.
fn rank_units(sessions: &Sessions, edges: &Edges, session: u32, rank: &mut [u32]) -> Vec<u32> {
    let mut ranked = Vec::new();
    let mut open = Vec::new();
    let mut place = 0;
    for node in sessions.nodes_of(session) {
        place += u32::from(Sequential.unit(sessions, node) == node);
        open.push(node);
        while let Some(node) = open.pop() {
            if rank[node as usize] != FREE {
                continue;
            }
            rank[node as usize] = place;
            ranked.push(node);
            // Nothing but its own read is before the write of a compare-and-set; where one is, so is
            // the other.
            if sessions.is_second_half(node + 1) {
                open.push(node + 1);
            }
            Sequential.before(sessions, 0, node, |before| open.push(before));
            open.extend(edges.ending_at(node).iter().map(|edge| edge.0));
        }
    }
    ranked
}
