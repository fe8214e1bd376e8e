//! One order of all transactions, and whether it explains every read.

use super::components::topological;
use super::graph::{Edge, Edges, Graph, ITEMS, Kinds};
use super::material::NONE;
use super::register_reads::{Read, Registers};

/// How often an order is mended.
const ROUNDS_MOST: usize = 12;

/// Whether an order that keeps what is known explains everything: the earliest transactions first, and
/// where a read does not find its version because of one that need not have come before it, that comes
/// after it.
pub(crate) fn explains(graph: &Graph, with: Kinds, registers: &Registers) -> bool {
    let kinds = ITEMS.and(with);
    let mut more: Vec<(u32, u32)> = Vec::new();
    for _ in 0..ROUNDS_MOST {
        let mut edges = Edges::default();
        more.iter().for_each(|(from, to)| edges.add(Edge::Rw, *from, *to));
        let added = Graph::new(graph.transactions, graph.len(), edges);
        let successors =
            |node| graph.by(node, kinds).chain(added.by(node, kinds)).map(|(_, to)| to);
        let Some(order) = topological(graph.len(), successors) else { return false };
        let wrong = wrong(&order, graph.transactions, registers);
        if wrong.is_empty() {
            return true;
        }
        more.extend(wrong.into_iter().map(|(read, found)| (read.reader, found)));
    }
    false
}

/// The reads that find another version in an order, each with who wrote that one.
fn wrong(order: &[u32], transactions: u32, registers: &Registers) -> Vec<(Read, u32)> {
    let mut held = vec![NONE; registers.writers.len()];
    let mut keys_of: Vec<(u32, u32)> = (0..)
        .zip(&registers.writers)
        .flat_map(|(key, all)| all.iter().map(move |one| (*one, key)))
        .collect();
    keys_of.sort_unstable();
    let mut reads = registers.reads.clone();
    reads.sort_by_key(|read| read.reader);
    let mut wrong = Vec::new();
    for one in order.iter().copied().filter(|one| *one < transactions) {
        let from = reads.partition_point(|read| read.reader < one);
        for read in reads[from..].iter().take_while(|read| read.reader == one) {
            let found = held[read.key as usize];
            if found != read.writer {
                wrong.push((*read, found));
            }
        }
        let from = keys_of.partition_point(|(other, _)| *other < one);
        for (_, key) in keys_of[from..].iter().take_while(|(other, _)| *other == one) {
            held[*key as usize] = one;
        }
    }
    wrong
}
