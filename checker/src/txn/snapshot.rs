//! Snapshot isolation: transactions as two moments, when they take their snapshot and when they commit.
//!
//! What depends on a transaction begins after its commit, and what it did not see commits after its
//! beginning. There is such an order of moments, and so the history is of snapshot isolation, iff these
//! have no cycle; a cycle is one of dependencies of which no two neighbours are anti-dependencies (Cerone
//! and Gotsman, *Analysing snapshot isolation*, PODC 2016).

use rustc_hash::FxHashMap;

use super::components::{components, topological};
use super::graph::{Edge, Edges, Graph, INFORMATION, Kinds};
use super::path::{Hop, Paths};

/// A graph in which each transaction has two nodes.
pub(crate) struct Halves<'g> {
    pub graph: &'g Graph,
    /// The orders that snapshots keep besides the dependencies.
    pub with: Kinds,
}

impl Halves<'_> {
    /// What follows from a node: twice the transaction for its beginning, one more for its end. Nodes that
    /// are no transactions have one half only.
    pub fn from(&self, node: u32) -> impl Iterator<Item = (Option<Edge>, u32)> + '_ {
        let (whole, is_end) = (node / 2, node % 2 == 1);
        let is_transaction = whole < self.graph.transactions;
        let kinds = match (is_transaction, is_end) {
            (true, false) => Kinds::of(&[Edge::Rw]),
            (true, true) => INFORMATION.and(self.with),
            (false, _) => INFORMATION.and(self.with).and(Kinds::of(&[Edge::Rw])),
        };
        let commits = (is_transaction && !is_end).then_some((None, node + 1));
        let on = self.graph.by(whole, kinds).map(|(kind, to)| {
            let at_end = kind == Edge::Rw && to < self.graph.transactions;
            (Some(kind), 2 * to + u32::from(at_end))
        });
        commits.into_iter().chain(on)
    }

    /// All of it as a graph of its own, of which every edge counts.
    pub fn graph(&self) -> Graph {
        let mut edges = Edges::default();
        for node in 0..self.len() {
            self.from(node).for_each(|(_, to)| edges.add(Edge::Ww, node, to));
        }
        Graph::new(2 * self.graph.transactions, self.len(), edges)
    }

    /// How many nodes there are.
    pub fn len(&self) -> u32 {
        2 * self.graph.len()
    }

    /// Whether the transactions that wrote a key, which are together and of which nobody knows the order,
    /// can be one after the other as they are in one order of commits that keeps all else.
    pub fn can_order(&self, written: &[(u32, u32)]) -> bool {
        let Some(order) = topological(self.len(), |node| self.from(node).map(|(_, to)| to)) else {
            return false;
        };
        let mut rank = vec![0; order.len()];
        (0..).zip(&order).for_each(|(at, node)| rank[*node as usize] = at);
        let mut by_commit = written.to_vec();
        by_commit.sort_unstable_by_key(|(key, one)| (*key, rank[2 * *one as usize + 1]));
        // Each begins after the commit of the one before it.
        let mut next: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for pair in by_commit.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            next.entry(2 * pair[0].1 + 1).or_default().push(2 * pair[1].1);
        }
        let successors = |node: u32| {
            let more = next.get(&node).into_iter().flatten().copied();
            self.from(node).map(|(_, to)| to).chain(more)
        };
        topological(self.len(), successors).is_some()
    }

    /// A short cycle, if there is one, in whole transactions.
    pub fn cycle(&self, budget: u64) -> Option<Vec<Hop>> {
        let cyclic = components(self.len(), |node| self.from(node).map(|(_, to)| to));
        let mut paths = Paths::new(self.len(), budget);
        let is_free = |node: u32| node / 2 >= self.graph.transactions;
        let through = cyclic.iter().flatten().copied().filter(|node| !is_free(*node));
        let best = paths.shortest_cycle(through, is_free, |one| self.from(one));
        best.map(|hops| hops.into_iter().map(|(node, kind)| (node / 2, kind)).collect())
    }
}
