//! The definitions of the rungs, word by word, by trying all orders.

use super::super::rung::Rung;
use super::super::sessions::{INITIAL, Sessions};

/// `pairs[a][b]`: a must come before b.
type Pairs = Vec<Vec<bool>>;

pub(super) fn holds(rung: Rung, sessions: &Sessions) -> bool {
    let each = |keeps: &dyn Fn(u32, u32, u32) -> bool| {
        (0..sessions.sessions() as u32).all(|reader| {
            let nodes: Vec<u32> = nodes(sessions)
                .filter(|node| sessions.is_write(*node) || sessions[*node].session == reader)
                .collect();
            serializes(sessions, &nodes, &|a, b| keeps(reader, a, b))
        })
    };
    let so = |a, b| in_session(sessions, a, b);
    let (write, key) = (|a| sessions.is_write(a), |a: u32| sessions[a].key);
    let own = |reader, a: u32| sessions[a].session == reader;
    let causal = causal_order(sessions);
    let same_key_writes = |a, b| so(a, b) && write(a) && write(b) && key(a) == key(b);
    let reads = |reader, a, b| so(a, b) && own(reader, a) && !write(a) && !write(b);
    match rung {
        Rung::ReadYourWrites => each(&|reader, a, b| {
            same_key_writes(a, b)
                || so(a, b) && own(reader, a) && write(a) && !write(b) && key(a) == key(b)
        }),
        Rung::MonotonicReads => each(&|reader, a, b| same_key_writes(a, b) || reads(reader, a, b)),
        Rung::MonotonicWrites => {
            each(&|reader, a, b| so(a, b) && write(a) && write(b) || reads(reader, a, b))
        }
        Rung::WritesFollowReads => {
            let follows = |a, b| {
                let reads_a = |read: u32| sessions[read].source == a && so(read, b);
                write(a) && write(b) && nodes(sessions).any(reads_a)
            };
            each(&|reader, a, b| same_key_writes(a, b) || reads(reader, a, b) || follows(a, b))
        }
        Rung::Pram => each(&|_, a, b| so(a, b)),
        Rung::Causal => each(&|_, a, b| causal[a as usize][b as usize]),
        Rung::WeakCausal => nodes(sessions).filter(|node| !write(*node)).all(|read| {
            let past = |node: &u32| write(*node) && causal[*node as usize][read as usize];
            let mut nodes: Vec<u32> = nodes(sessions).filter(past).collect();
            nodes.push(read);
            !causal[read as usize][read as usize]
                && serializes(sessions, &nodes, &|a, b| causal[a as usize][b as usize])
        }),
        Rung::CausalConvergence => {
            let writes: Vec<u32> = nodes(sessions).filter(|node| write(*node)).collect();
            let acyclic = nodes(sessions).all(|node| !causal[node as usize][node as usize]);
            acyclic
                && orders(&writes, &|a, b| causal[a as usize][b as usize]).any(|order| {
                    nodes(sessions).filter(|node| !write(*node)).all(|read| {
                        let seen =
                            |w: &&u32| key(**w) == key(read) && causal[**w as usize][read as usize];
                        let last = order.iter().rev().find(seen).copied().unwrap_or(INITIAL);
                        last == sessions[read].source
                    })
                })
        }
        Rung::Sequential => sequential(sessions),
        _ => panic!("{rung:?} is decided elsewhere"),
    }
}

fn nodes(sessions: &Sessions) -> impl Iterator<Item = u32> + '_ {
    0..sessions.len() as u32
}

fn in_session(sessions: &Sessions, a: u32, b: u32) -> bool {
    sessions[a].session == sessions[b].session && a < b
}

fn causal_order(sessions: &Sessions) -> Pairs {
    let direct = |a, b| in_session(sessions, a, b) || sessions[b].source == a;
    let mut pairs: Pairs =
        nodes(sessions).map(|a| nodes(sessions).map(|b| direct(a, b)).collect()).collect();
    for via in 0..pairs.len() {
        for a in 0..pairs.len() {
            for b in 0..pairs.len() {
                pairs[a][b] |= pairs[a][via] && pairs[via][b];
            }
        }
    }
    pairs
}

/// Whether the nodes can be put in an order that keeps the pairs and explains each read among them.
fn serializes(sessions: &Sessions, nodes: &[u32], keeps: &dyn Fn(u32, u32) -> bool) -> bool {
    fn place(
        sessions: &Sessions,
        left: &mut Vec<u32>,
        keeps: &dyn Fn(u32, u32) -> bool,
        held: &mut Vec<u32>,
    ) -> bool {
        if left.is_empty() {
            return true;
        }
        (0..left.len()).any(|at| {
            let node = left[at];
            let (key, source) = (sessions[node].key as usize, sessions[node].source);
            let is_next = !left.iter().any(|other| keeps(*other, node));
            let is_write = sessions.is_write(node);
            if !is_next || !is_write && held[key] != source {
                return false;
            }
            let before = held[key];
            if is_write {
                held[key] = node;
            }
            left.swap_remove(at);
            let placed = place(sessions, left, keeps, held);
            left.push(node);
            let last = left.len() - 1;
            left.swap(at, last);
            held[key] = before;
            placed
        })
    }
    place(sessions, &mut nodes.to_vec(), keeps, &mut vec![INITIAL; sessions.keys])
}

/// All orders that keep the pairs.
fn orders<'a>(
    nodes: &'a [u32],
    keeps: &'a dyn Fn(u32, u32) -> bool,
) -> Box<dyn Iterator<Item = Vec<u32>> + 'a> {
    let mut found = Vec::new();
    fn extend(
        order: &mut Vec<u32>,
        nodes: &[u32],
        keeps: &dyn Fn(u32, u32) -> bool,
        found: &mut Vec<Vec<u32>>,
    ) {
        if order.len() == nodes.len() {
            found.push(order.clone());
        }
        for node in nodes.iter().filter(|node| !order.contains(node)).copied().collect::<Vec<_>>() {
            let waits = nodes.iter().any(|other| !order.contains(other) && keeps(*other, node));
            if !waits {
                order.push(node);
                extend(order, nodes, keeps, found);
                order.pop();
            }
        }
    }
    extend(&mut Vec::new(), nodes, keeps, &mut found);
    Box::new(found.into_iter())
}

/// One order of everything that keeps each session's, in which a compare-and-set is one step.
fn sequential(sessions: &Sessions) -> bool {
    fn step(sessions: &Sessions, at: &mut Vec<u32>, held: &mut Vec<u32>) -> bool {
        if at.iter().zip(&sessions.starts[1..]).all(|(at, end)| at == end) {
            return true;
        }
        (0..at.len()).any(|session| {
            let mut node = at[session];
            if node == sessions.starts[session + 1] {
                return false;
            }
            let key = sessions[node].key as usize;
            let before = (node, held[key]);
            if !sessions.is_write(node) {
                if sessions[node].source != held[key] {
                    return false;
                }
                node += 1;
            }
            let writes = node < sessions.starts[session + 1]
                && sessions.is_write(node)
                && (node == before.0 || sessions.is_second_half(node));
            if writes {
                held[key] = node;
                node += 1;
            }
            at[session] = node;
            let done = step(sessions, at, held);
            (at[session], held[key]) = before;
            done
        })
    }
    let mut at = sessions.starts[..sessions.sessions()].to_vec();
    step(sessions, &mut at, &mut vec![INITIAL; sessions.keys])
}
