//! Orders of all transactions, or of their beginnings and ends, and whether one explains every read.

use super::components::topological;
use super::graph::{Edge, Edges, Graph, ITEMS, Kinds};
use super::material::NONE;
use super::placed;
use super::register_reads::{Read, Registers};
use super::snapshot::Halves;

/// How often an order is mended.
const ROUNDS_MOST: usize = 12;

/// Whether an order that keeps what is known explains everything, of two that are tried.
pub(crate) fn explains(graph: &Graph, with: Kinds, registers: &Registers) -> bool {
    placed::is_found(graph, with, registers) || is_mended(graph, with, registers)
}

/// The earliest transactions first, and where a read does not find its version because of one that need
/// not have come before it, that comes after it.
fn is_mended(graph: &Graph, with: Kinds, registers: &Registers) -> bool {
    let kinds = ITEMS.and(with);
    let mut more: Vec<(u32, u32)> = Vec::new();
    for _ in 0..ROUNDS_MOST {
        let mut edges = Edges::default();
        more.iter().for_each(|(from, to)| edges.add(Edge::Rw, *from, *to));
        let added = Graph::new(graph.transactions, graph.len(), edges);
        let successors =
            |node| graph.by(node, kinds).chain(added.by(node, kinds)).map(|(_, to)| to);
        let Some(order) = topological(graph.len(), successors) else { return false };
        let wrong = wrong(order.into_iter(), registers);
        if wrong.is_empty() {
            return true;
        }
        more.extend(wrong.into_iter().map(|(read, found)| (read.reader, found)));
    }
    false
}

/// Whether the order in which the transactions were invoked explains everything. It keeps the orders of the
/// sessions and of time.
pub(crate) fn is_explained_as_it_stands(registers: &Registers) -> bool {
    let transactions = registers.happened.len() as u32;
    wrong(0..transactions, registers).is_empty()
}

/// The reads that find another version in an order, each with who wrote that one.
fn wrong(order: impl Iterator<Item = u32>, registers: &Registers) -> Vec<(Read, u32)> {
    let reads = ReadsOf::new(registers);
    let mut held = vec![NONE; registers.writers.len()];
    let mut wrong = Vec::new();
    for one in order.filter(|one| (*one as usize) < registers.happened.len()) {
        for read in reads.of(one) {
            let found = held[read.key as usize];
            if found != read.writer {
                wrong.push((*read, found));
            }
        }
        for key in registers.written(one) {
            held[*key as usize] = one;
        }
    }
    wrong
}

/// Whether snapshots explain everything: each transaction reads what was committed when it began, and nobody
/// else commits a write to its keys until it has. One order of beginnings and ends is tried that keeps what is
/// known.
pub(crate) fn is_explained_by_snapshots(graph: &Graph, with: Kinds, registers: &Registers) -> bool {
    let halves = Halves { graph, with };
    let successors = |node| halves.from(node).map(|(_, to)| to);
    let Some(order) = topological(halves.len(), successors) else { return false };
    let reads = ReadsOf::new(registers);
    // Who wrote each key last, and when.
    let mut held = vec![(NONE, 0_u32); registers.writers.len()];
    let mut began = vec![0; registers.happened.len()];
    let is_transaction = |node: &u32| node / 2 < graph.transactions;
    (1..).zip(order.into_iter().filter(is_transaction)).all(|(now, node)| {
        let one = node / 2;
        if node % 2 == 0 {
            began[one as usize] = now;
            return reads.of(one).iter().all(|read| held[read.key as usize].0 == read.writer);
        }
        registers.written(one).iter().all(|key| {
            let (_, written) = std::mem::replace(&mut held[*key as usize], (one, now));
            written < began[one as usize]
        })
    })
}

/// The reads of each transaction.
struct ReadsOf<'r> {
    starts: Vec<u32>,
    reads: &'r [Read],
}

impl<'r> ReadsOf<'r> {
    fn new(registers: &'r Registers) -> ReadsOf<'r> {
        let mut starts = vec![0_u32; registers.happened.len() + 1];
        registers.reads.iter().for_each(|read| starts[read.reader as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        ReadsOf { starts, reads: &registers.reads }
    }

    fn of(&self, one: u32) -> &'r [Read] {
        let at = one as usize;
        &self.reads[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}
