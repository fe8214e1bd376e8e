//! Orders of all transactions, and whether one explains every read.

use super::components::topological;
use super::graph::{Edge, Edges, Graph, ITEMS, Kinds};
use super::material::NONE;
use super::placed;
use super::register_reads::{Read, Registers};

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
    let transactions = registers.happened.len();
    let mut held = vec![NONE; registers.writers.len()];
    // Where the reads of each transaction begin.
    let mut starts = vec![0_u32; transactions + 1];
    registers.reads.iter().for_each(|read| starts[read.reader as usize + 1] += 1);
    for at in 0..transactions {
        starts[at + 1] += starts[at];
    }
    let mut wrong = Vec::new();
    for one in order.filter(|one| (*one as usize) < transactions) {
        let range = starts[one as usize] as usize..starts[one as usize + 1] as usize;
        for read in &registers.reads[range] {
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
