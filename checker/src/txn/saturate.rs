//! Which version of a register came first, as far as every explanation has to agree on it.
//!
//! Who reads a version reads the last one of those that it knows of: of two transactions that wrote a
//! register, the one that a reader knew of without reading from it came before the one that it read from
//! (Biswas and Enea, OOPSLA 2019). The edges are as few as those of AWDIT (PLDI 2025): of what is causally
//! before a reader the last writer of each session stands for those before it, and what the writer itself
//! knew of needs no edge.

use rayon::prelude::*;

use super::components::acyclic_order;
use super::graph::{Edge, Edges, Graph, Kinds};
use super::material::NONE;
use super::register_reads::Read;
use super::sessions::Sessions;

/// How many reads one task looks at.
const READS_AT_ONCE: usize = 4096;

/// What comes before each transaction: of each session so many of the first ones.
pub(crate) struct Past<'s> {
    sessions: &'s Sessions,
    clocks: Vec<u32>,
}

impl<'s> Past<'s> {
    /// By edges of these kinds; `None` if they have a cycle.
    pub fn of(sessions: &'s Sessions, graph: &Graph, kinds: Kinds) -> Option<Past<'s>> {
        let successors = |node| graph.by(node, kinds).map(|(_, to)| to);
        let order = acyclic_order(graph.len(), successors)?;
        let width = sessions.count() as usize;
        let mut clocks = vec![0_u32; graph.len() as usize * width];
        let mut own = vec![0; width];
        for node in order {
            own.copy_from_slice(&clocks[node as usize * width..][..width]);
            if node < graph.transactions {
                let (session, place) = sessions.place(node);
                own[session as usize] = own[session as usize].max(place + 1);
            }
            for next in successors(node) {
                let known = &mut clocks[next as usize * width..][..width];
                known.iter_mut().zip(&own).for_each(|(known, count)| *known = (*known).max(*count));
            }
        }
        clocks.truncate(graph.transactions as usize * width);
        Some(Past { sessions, clocks })
    }

    fn clock(&self, transaction: u32) -> &[u32] {
        let width = self.sessions.count() as usize;
        &self.clocks[transaction as usize * width..][..width]
    }

    /// Whether a transaction is another one, or comes before it.
    fn covers(&self, transaction: u32, one: u32) -> bool {
        let (session, place) = self.sessions.place(one);
        one == transaction || place < self.clock(transaction)[session as usize]
    }

    /// Of what others wrote to the key that a reader knew of, and its source did not, the last of each
    /// session: with the position of each read.
    pub fn missed(&self, reads: &[Read]) -> Vec<(u32, u32)> {
        let of_chunk = |(chunk, reads): (usize, &[Read])| {
            let mut missed = Vec::new();
            for (at, read) in (chunk * READS_AT_ONCE..).zip(reads) {
                self.missed_by(read, |writer| missed.push((writer, at as u32)));
            }
            missed
        };
        let chunks = reads.par_chunks(READS_AT_ONCE).enumerate().map(of_chunk);
        chunks.collect::<Vec<_>>().concat()
    }

    fn missed_by(&self, read: &Read, mut add: impl FnMut(u32)) {
        let known = self.clock(read.reader);
        let source = (read.writer != NONE).then(|| (self.clock(read.writer), read.writer));
        for (session, writers) in self.sessions.writers(read.key) {
            let known = known[session as usize];
            let is_covered = source.is_some_and(|(clock, source)| {
                let (own, place) = self.sessions.place(source);
                known <= if own == session { place + 1 } else { clock[session as usize] }
            });
            if known == 0 || is_covered {
                continue;
            }
            let last = writers.partition_point(|(place, _)| *place < known).checked_sub(1);
            if let Some((_, writer)) = last.map(|last| writers[last])
                && writer != read.writer
            {
                add(writer);
            }
        }
    }

    /// Of those before a transaction that wrote a key the last ones: those that come before no other.
    pub fn last_writers(&self, transaction: u32, key: u32, last: &mut Vec<u32>) {
        last.clear();
        let known = self.clock(transaction);
        for (session, writers) in self.sessions.writers(key) {
            let known = known[session as usize];
            let before = writers.partition_point(|(place, _)| *place < known).checked_sub(1);
            let Some((_, writer)) = before.map(|before| writers[before]) else { continue };
            if !last.iter().any(|other| self.covers(*other, writer)) {
                last.retain(|other| !self.covers(writer, *other));
                last.push(writer);
            }
        }
    }
}

/// Adds who read from whom.
pub(crate) fn add_reads(reads: &[Read], edges: &mut Edges) {
    for read in reads.iter().filter(|read| read.writer != NONE) {
        edges.add(Edge::Wr, read.writer, read.reader);
    }
}
