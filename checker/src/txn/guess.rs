//! Orders that stand to reason, of all transactions or of their beginnings and ends, and whether one explains
//! every read.

use super::components::topological;
use super::graph::{Graph, Kinds};
use super::material::NONE;
use super::register_reads::{Read, Registers};
use super::snapshot::Halves;

/// Whether the order in which the transactions were invoked explains everything. It keeps the orders of the
/// sessions and of time.
pub(crate) fn is_explained_as_it_stands(registers: &Registers) -> bool {
    let reads = ReadsOf::new(registers);
    let mut held = vec![NONE; registers.writers.len()];
    (0..registers.happened.len() as u32).all(|one| {
        let is_explained = reads.of(one).iter().all(|read| held[read.key as usize] == read.writer);
        registers.written(one).iter().for_each(|key| held[*key as usize] = one);
        is_explained
    })
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
pub(super) struct ReadsOf<'r> {
    starts: Vec<u32>,
    reads: &'r [Read],
}

impl<'r> ReadsOf<'r> {
    pub fn new(registers: &'r Registers) -> ReadsOf<'r> {
        let mut starts = vec![0_u32; registers.happened.len() + 1];
        registers.reads.iter().for_each(|read| starts[read.reader as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        ReadsOf { starts, reads: &registers.reads }
    }

    pub fn of(&self, one: u32) -> &'r [Read] {
        let at = one as usize;
        &self.reads[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}
