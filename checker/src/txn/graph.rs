//! The graph of dependencies between transactions (Adya 1999), in little room.

use super::components::components;

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Edge {
    /// It wrote the version before the one that the other wrote.
    Ww,
    /// It wrote what the other read.
    Wr,
    /// It read the version before the one that the other wrote.
    Rw,
    /// It came first in the session.
    Session,
    /// It had completed when the other was invoked.
    RealTime,
}

impl Edge {
    const ALL: [Edge; 5] = [Edge::Ww, Edge::Wr, Edge::Rw, Edge::Session, Edge::RealTime];

    /// The name in a verdict.
    pub fn name(self) -> &'static str {
        match self {
            Edge::Ww => "ww",
            Edge::Wr => "wr",
            Edge::Rw => "rw",
            Edge::Session => "process",
            Edge::RealTime => "realtime",
        }
    }
}

/// A set of kinds of edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    /// These.
    pub const fn of(kinds: &[Edge]) -> Kinds {
        let (mut set, mut at) = (0, 0);
        while at < kinds.len() {
            set |= 1 << kinds[at] as u8;
            at += 1;
        }
        Kinds(set)
    }

    /// These too.
    pub const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub const fn has(self, kind: Edge) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// What follows from whose version is whose.
pub(crate) const WRITES: Kinds = Kinds::of(&[Edge::Ww]);
pub(crate) const INFORMATION: Kinds = Kinds::of(&[Edge::Ww, Edge::Wr]);
pub(crate) const ITEMS: Kinds = Kinds::of(&[Edge::Ww, Edge::Wr, Edge::Rw]);
pub(crate) const SESSIONS: Kinds = Kinds::of(&[Edge::Session]);
pub(crate) const REAL_TIME: Kinds = Kinds::of(&[Edge::Session, Edge::RealTime]);

/// Edges as they are found.
#[derive(Clone, Default)]
pub(crate) struct Edges(Vec<(u32, u32)>);

/// The kind stands in the highest bits of a target.
const KIND_SHIFT: u32 = 29;
const NODE: u32 = (1 << KIND_SHIFT) - 1;

impl Edges {
    /// Adds one, unless it leads nowhere else.
    pub fn add(&mut self, kind: Edge, from: u32, to: u32) {
        if from != to {
            self.0.push((from, to | (kind as u32) << KIND_SHIFT));
        }
    }
}

/// Transactions, and behind them moments of time, with what leads from each to which.
pub(crate) struct Graph {
    /// Nodes below this are transactions, the others moments.
    pub transactions: u32,
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Graph {
    /// Sorts the edges by where they begin.
    pub fn new(transactions: u32, nodes: u32, edges: Edges) -> Graph {
        assert!(nodes <= NODE, "more transactions than there are numbers");
        let mut starts = vec![0_u32; nodes as usize + 2];
        for (from, _) in &edges.0 {
            starts[*from as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut targets = vec![0; edges.0.len()];
        for (from, target) in edges.0 {
            let next = &mut starts[from as usize + 1];
            targets[*next as usize] = target;
            *next += 1;
        }
        starts.pop();
        Graph { transactions, starts, targets }
    }

    /// How many nodes there are.
    pub fn len(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// What leads from a node.
    pub fn from(&self, node: u32) -> impl ExactSizeIterator<Item = (Edge, u32)> + Clone + '_ {
        let range = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
        let edge = |target: &u32| (Edge::ALL[(target >> KIND_SHIFT) as usize], target & NODE);
        self.targets[range].iter().map(edge)
    }

    /// The same for edges of these kinds.
    pub fn by(&self, node: u32, kinds: Kinds) -> impl Iterator<Item = (Edge, u32)> + Clone + '_ {
        self.from(node).filter(move |(kind, _)| kinds.has(*kind))
    }

    /// Nodes that lead to each other, with their number: components of more than one.
    pub fn cycles(&self, kinds: Kinds) -> Vec<Vec<u32>> {
        components(self.len(), |node| self.by(node, kinds).map(|(_, to)| to))
    }

    /// The graph of some nodes, which are in order, and what leads between them. Their numbers are their
    /// positions; moments stay behind transactions.
    pub fn part(&self, nodes: &[u32]) -> Graph {
        let mut edges = Edges::default();
        for (at, node) in nodes.iter().enumerate() {
            for (kind, to) in self.from(*node) {
                if let Ok(to) = nodes.binary_search(&to) {
                    edges.add(kind, at as u32, to as u32);
                }
            }
        }
        let transactions = nodes.partition_point(|node| *node < self.transactions);
        Graph::new(transactions as u32, nodes.len() as u32, edges)
    }
}
