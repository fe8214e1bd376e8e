//! What one session saw: whether its reads and all writes have a legal serialization.
//!
//! The session's reads r0, r1, ... come in this order. A node's *rank* is the number of the first read that
//! it must come before. If a write u of the key of a read r must come before r, and r read from another
//! write w, then u must come before w, and so before all that w comes before: this is done until nothing
//! changes (the happened-before relation of Bouajjani, Enea, Guerraoui and Hamza, POPL 2017). It is
//! exact, because the reads have an order: the writes of rank i, in any order that keeps what was found,
//! go right before read i. Nodes that no read comes after are never looked at.
//!
//! Nor are those that cannot matter any more. A write matters to a read only if the session reads its key then or
//! later. So, in an order that keeps what the rung keeps, nothing matters that comes before the first writes of
//! all keys that the session reads from read i on (the *horizon* of read i), unless an earlier read has
//! met it: all that comes before it is before the horizon too. Where keys are used for a while and then no more, a
//! session costs what was done while it lasted, however many sessions there are.

use std::ops::Range;

use super::kept::Kept;
use super::order::{Cycle, Order, cycle};
use super::sessions::{INITIAL, Sessions};

const FREE: u32 = u32::MAX;

/// Why there is no serialization; the nodes are all of the argument but what the kept orders add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub nodes: Vec<u32>,
}

/// More nodes would have had to be visited than were allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// A read of the session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    key: u32,
    /// Its number among the session's reads.
    number: u32,
    source: u32,
    node: u32,
}

/// Memory for one session after the other.
pub(crate) struct View<'s> {
    sessions: &'s Sessions,
    /// By node; [`FREE`] if no read comes after it.
    rank: Vec<u32>,
    ranked: Vec<u32>,
    /// By key, where its reads are in `seen`.
    seen_on: Vec<(u32, u32)>,
    /// The session's reads by key, in order.
    seen: Vec<Seen>,
    /// By the numbers of the session's reads: what has a lower position in the order does not matter to
    /// this read and later ones.
    horizon: Vec<u32>,
    /// The ranked writes of keys that were read.
    writes: Vec<u32>,
    stack: Vec<u32>,
    found: Found,
}

/// Which writes were found to come before sources of the session's reads, which nearly all do without
/// consequence.
struct Found {
    edges: Vec<(u32, u32)>,
    /// The read that each edge rests on.
    reads: Vec<u32>,
    /// By node, the last edge that ends there; and for each edge the one before it that ends there too.
    last: Vec<u32>,
    before: Vec<u32>,
}

impl Found {
    fn add(&mut self, write: u32, source: u32, read: u32) {
        let last = &mut self.last[source as usize];
        self.before.push(std::mem::replace(last, self.edges.len() as u32));
        self.edges.push((write, source));
        self.reads.push(read);
    }

    /// Adds the writes that come before a source.
    fn push_before(&self, source: u32, found: &mut Vec<u32>) {
        let mut edge = self.last[source as usize];
        while edge != FREE {
            found.push(self.edges[edge as usize].0);
            edge = self.before[edge as usize];
        }
    }

    fn clear(&mut self) {
        for (_, source) in self.edges.drain(..) {
            self.last[source as usize] = FREE;
        }
        self.reads.clear();
        self.before.clear();
    }

    /// A cycle with the reads that its edges rest on.
    fn with_reads(&self, mut nodes: Cycle) -> Conflict {
        let next = nodes.iter().skip(1).chain(nodes.first()).copied();
        let steps: Vec<(u32, u32)> = nodes.iter().copied().zip(next).collect();
        let resting = self.edges.iter().zip(&self.reads).filter(|(edge, _)| steps.contains(edge));
        nodes.extend(resting.map(|(_, read)| *read));
        Conflict { nodes }
    }
}

impl<'s> View<'s> {
    pub fn new(sessions: &'s Sessions) -> View<'s> {
        View {
            sessions,
            rank: vec![FREE; sessions.len()],
            ranked: Vec::new(),
            seen_on: vec![(0, 0); sessions.keys],
            seen: Vec::new(),
            horizon: Vec::new(),
            writes: Vec::new(),
            stack: Vec::new(),
            found: Found {
                edges: Vec::new(),
                reads: Vec::new(),
                last: vec![FREE; sessions.len()],
                before: Vec::new(),
            },
        }
    }

    /// Ranks what comes before the reads of a session and matters, with at most so many visits. `order` keeps
    /// what the rung keeps.
    pub fn rank(
        &mut self,
        kept: impl Kept,
        reader: u32,
        order: &Order,
        visits: u64,
    ) -> Result<(), Exhausted> {
        for node in self.ranked.drain(..) {
            self.rank[node as usize] = FREE;
        }
        for seen in self.seen.drain(..) {
            self.seen_on[seen.key as usize] = (0, 0);
        }
        self.writes.clear();
        let sessions = self.sessions;
        let reads = sessions.nodes_of(reader).filter(|node| !sessions.is_write(*node));
        self.seen.extend(reads.zip(0..).map(|(node, number)| {
            let (key, source) = (sessions[node].key, sessions[node].source);
            Seen { key, number, source, node }
        }));
        let in_order: Vec<u32> = self.seen.iter().map(|seen| seen.node).collect();
        self.horizon.clear();
        self.horizon.extend(self.seen.iter().map(|seen| order.first_write[seen.key as usize]));
        for number in (1..self.horizon.len()).rev() {
            self.horizon[number - 1] = self.horizon[number - 1].min(self.horizon[number]);
        }
        self.seen.sort_unstable();
        for (seen, at) in self.seen.iter().zip(0..) {
            let on = &mut self.seen_on[seen.key as usize];
            *on = if *on == (0, 0) { (at, at + 1) } else { (on.0, at + 1) };
        }
        for (read, number) in in_order.into_iter().zip(0..) {
            self.stack.push(read);
            let horizon = self.horizon[number as usize];
            while let Some(node) = self.stack.pop() {
                let rank = &mut self.rank[node as usize];
                if *rank != FREE {
                    continue;
                }
                *rank = number;
                self.ranked.push(node);
                if sessions.is_write(node) && self.is_read(node) {
                    self.writes.push(node);
                }
                let (rank, stack) = (&self.rank, &mut self.stack);
                kept.before(sessions, reader, node, |before| {
                    if rank[before as usize] == FREE && order.position[before as usize] >= horizon {
                        stack.push(before);
                    }
                });
            }
            if self.ranked.len() as u64 > visits {
                self.stack.clear();
                return Err(Exhausted);
            }
        }
        Ok(())
    }

    /// Whether the session read the key of the node.
    fn is_read(&self, node: u32) -> bool {
        let (from, to) = self.seen_on[self.sessions[node].key as usize];
        from < to
    }

    /// Where in `seen` the reads are that a write must come before.
    fn after(&self, write: u32) -> Range<usize> {
        let (from, to) = self.seen_on[self.sessions[write].key as usize];
        let (from, to) = (from as usize, to as usize);
        let rank = self.rank[write as usize];
        from + self.seen[from..to].partition_point(|seen| seen.number < rank)..to
    }

    /// The first of these that read from elsewhere. Later ones add nothing: their sources come after
    /// the source of this one for the same reason.
    fn overwritten(&self, write: u32) -> Option<Seen> {
        self.seen[self.after(write)].iter().find(|seen| seen.source != write).copied()
    }

    /// Whether the ranked nodes have a legal serialization. `order` keeps what the rung keeps.
    pub fn serialize(
        &mut self,
        kept: impl Kept,
        reader: u32,
        order: &Order,
    ) -> Result<(), Conflict> {
        let sessions = self.sessions;
        self.found.clear();
        let mut open = std::mem::take(&mut self.writes);
        while let Some(write) = open.pop() {
            let Some(seen) = self.overwritten(write) else { continue };
            if seen.source == INITIAL {
                return Err(Conflict { nodes: vec![write, seen.node] });
            }
            self.found.add(write, seen.source, seen.node);
            let rank = self.rank[seen.source as usize];
            if rank >= self.rank[write as usize] {
                continue;
            }
            self.stack.push(write);
            while let Some(node) = self.stack.pop() {
                let known = &mut self.rank[node as usize];
                if *known <= rank {
                    continue;
                }
                // It was before the horizon of the read that met it first.
                if *known == FREE {
                    self.ranked.push(node);
                }
                *known = rank;
                if sessions.is_write(node) && self.is_read(node) {
                    open.push(node);
                }
                let (stack, horizon) = (&mut self.stack, self.horizon[rank as usize]);
                kept.before(sessions, reader, node, |before| {
                    if order.position[before as usize] >= horizon {
                        stack.push(before);
                    }
                });
                self.found.push_before(node, stack);
            }
        }
        let within = |node: u32| self.rank[node as usize] != FREE;
        let found = &self.found;
        let before = |node: u32, nodes: &mut Vec<u32>| {
            kept.before(sessions, reader, node, |node| nodes.push(node));
            found.push_before(node, nodes);
        };
        match cycle(order, &found.edges, within, before) {
            None => Ok(()),
            Some(nodes) => Err(found.with_reads(nodes)),
        }
    }
}
