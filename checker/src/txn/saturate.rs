//! Which version of a register came first, as far as every explanation has to agree on it.
//!
//! Who reads a version reads the last one of those that it knows of: of two transactions that wrote a
//! register, the one that a reader knew of without reading from it came before the one that it read from
//! (Biswas and Enea, OOPSLA 2019). The edges are as few as those of AWDIT (PLDI 2025): of what is causally
//! before a reader the last writer of each session stands for those before it.

use rustc_hash::FxHashMap;

use super::components::topological;
use super::graph::{Edge, Edges, Graph, Kinds};
use super::material::{Material, NONE};
use super::register_reads::{Read, Registers};

/// Sessions, and the place of each transaction in its own.
pub(crate) struct Sessions {
    of: Vec<u32>,
    place: Vec<u32>,
    count: u32,
    /// Who wrote a key in a session, by their places.
    writers: FxHashMap<(u32, u32), Vec<(u32, u32)>>,
    /// The sessions in which a key was written.
    of_key: Vec<Vec<u32>>,
}

impl Sessions {
    pub fn of(material: &Material<'_>, registers: &Registers) -> Sessions {
        let mut ids: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
        let (mut of, mut place) = (Vec::new(), Vec::new());
        for transaction in 0..material.len() {
            let next = ids.len() as u32;
            let (id, count) =
                ids.entry(material.operation(transaction).process).or_insert((next, 0));
            of.push(*id);
            place.push(*count);
            *count += 1;
        }
        let mut writers: FxHashMap<(u32, u32), Vec<(u32, u32)>> = FxHashMap::default();
        let mut of_key = vec![Vec::new(); registers.writers.len()];
        for (key, all) in (0..).zip(&registers.writers) {
            for writer in all {
                let session = of[*writer as usize];
                let in_session = writers.entry((key, session)).or_default();
                if in_session.is_empty() {
                    of_key[key as usize].push(session);
                }
                in_session.push((place[*writer as usize], *writer));
            }
        }
        Sessions { of, place, count: ids.len() as u32, writers, of_key }
    }

    /// How many sessions there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds what follows for the versions from what is before each reader by edges of these kinds; false if
    /// they have a cycle.
    pub fn saturate(
        &self,
        graph: &Graph,
        kinds: Kinds,
        reads: &[Read],
        mut add: impl FnMut(u32, &Read),
    ) -> bool {
        let successors = |node| graph.by(node, kinds).map(|(_, to)| to);
        let Some(order) = topological(graph.len(), successors) else { return false };
        let width = self.count as usize;
        // How many of each session come before each node.
        let mut clocks = vec![0_u32; graph.len() as usize * width];
        for node in order {
            let from = node as usize * width;
            let mut own = clocks[from..from + width].to_vec();
            if node < graph.transactions {
                let count = &mut own[self.of[node as usize] as usize];
                *count = (*count).max(self.place[node as usize] + 1);
            }
            for next in successors(node) {
                let to = next as usize * width;
                for (known, count) in clocks[to..to + width].iter_mut().zip(&own) {
                    *known = (*known).max(*count);
                }
            }
        }
        for read in reads {
            let clock = &clocks[read.reader as usize * width..];
            for session in &self.of_key[read.key as usize] {
                let known = clock[*session as usize];
                let writers = &self.writers[&(read.key, *session)];
                let last = writers.partition_point(|(place, _)| *place < known).checked_sub(1);
                let Some((_, writer)) = last.map(|last| writers[last]) else { continue };
                if writer != read.writer && writer != read.reader {
                    add(writer, read);
                }
            }
        }
        true
    }

    /// The same of what a reader read from before that, or from anything if `any`, and of its own session
    /// before it if `session`.
    pub fn direct(
        &self,
        reads: &[Read],
        registers: &Registers,
        any: bool,
        mut add: impl FnMut(u32, &Read),
    ) {
        let wrote =
            |writer: u32, key: u32| registers.writers[key as usize].binary_search(&writer).is_ok();
        for of_one in reads.chunk_by(|one, other| one.reader == other.reader) {
            for (at, read) in of_one.iter().enumerate() {
                let known = if any { of_one } else { &of_one[..at] };
                for other in known.iter().map(|other| other.writer).filter(|one| *one != NONE) {
                    if other != read.writer && wrote(other, read.key) {
                        add(other, read);
                    }
                }
                if any {
                    let session = self.of[read.reader as usize];
                    let Some(writers) = self.writers.get(&(read.key, session)) else { continue };
                    let place = self.place[read.reader as usize];
                    let last = writers.partition_point(|(other, _)| *other < place).checked_sub(1);
                    if let Some((_, writer)) = last.map(|last| writers[last])
                        && writer != read.writer
                    {
                        add(writer, read);
                    }
                }
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
