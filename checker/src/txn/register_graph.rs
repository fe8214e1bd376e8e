//! What every explanation of transactions on registers has to agree on: a graph for each sort of order that
//! it is to keep, and the cycles in it.

use super::append_edges::End;
use super::cycles::{self, Searched};
use super::found::{Found, Instance};
use super::graph::{Edge, Edges, Graph, INFORMATION, ITEMS, Kinds, REAL_TIME, SESSIONS, WRITES};
use super::guess::is_explained_by_snapshots;
use super::judge::Decided;
use super::levels::{LEVELS, with_stronger};
use super::material::{Material, NONE};
use super::order::{add_real_time, add_sessions};
use super::register_reads::Registers;
use super::saturate::{Past, add_reads};
use super::serial::{self, Order};
use super::sessions::Sessions;
use super::trusted::Trusted;
use super::version_order::{Cyclic, VersionOrder};
use crate::ladder::Rung;

/// More numbers than this are not kept for what is known at each moment of each session.
const CLOCKS_MOST: u64 = 200_000_000;

/// Of more transactions snapshots are not searched for.
const SNAPSHOTS_MOST: u32 = 20_000;

/// All that is known of a history.
pub(super) struct Judge<'j, 'h> {
    pub material: &'j Material<'h>,
    pub sessions: Sessions,
    pub registers: &'j Registers,
    pub trusted: Trusted,
}

/// What is known of the orders that keep the same.
pub(super) struct One {
    /// Whether nothing has to be kept but the dependencies.
    keeps_nothing: bool,
    /// Keys whose versions can have no order, each with some that show it.
    cyclic: Vec<Cyclic>,
    /// What that rules out.
    rules_out: Vec<Rung>,
    searched: Vec<Searched>,
    /// Whether there are too many sessions to see what follows from all that is known.
    is_partial: bool,
    /// Whether one such order explains every read, if that was looked for.
    order: Option<Order>,
    /// The same of snapshots that keep these orders.
    snapshots: Option<Order>,
}

impl One {
    /// Whether one such order explains every read.
    pub fn is_explained(&self) -> bool {
        matches!(self.order, Some(Order::Serial(_)))
    }

    /// Whether that was looked for in vain until the budget ended.
    pub fn is_exhausted(&self) -> bool {
        self.order == Some(Order::Exhausted)
    }

    /// Whether none of them does, although there is no cycle.
    pub fn is_unserializable(&self) -> bool {
        self.order == Some(Order::Impossible)
    }

    /// Whether snapshots explain every read.
    pub fn is_of_snapshots(&self) -> bool {
        self.is_explained() || matches!(self.snapshots, Some(Order::Serial(_)))
    }

    /// Whether none do, although there is no cycle.
    pub fn is_of_no_snapshots(&self) -> bool {
        self.snapshots == Some(Order::Impossible)
    }

    pub fn tell(self, found: &mut Found, decided: &mut Decided) {
        for (key, writers) in self.cyclic {
            let rules_out = self.rules_out.clone();
            found.add_cyclic(key, writers, None, rules_out);
        }
        for searched in self.searched {
            decided.undecided.extend(&searched.undecided);
            let cycles = searched.cycles.into_iter().map(Instance::Cycle);
            // Each cycle is one too where more orders are kept.
            cycles.for_each(|cycle| match self.keeps_nothing {
                true => found.add(cycle),
                false => found.add_new(cycle),
            });
        }
        if self.is_partial {
            decided.undecided.push(Rung::Causal);
        }
    }
}

/// What is known without any inference of those that happened: who read from whom, and who came first; and
/// how many nodes there are.
pub(super) fn base(material: &Material<'_>, registers: &Registers, with: Kinds) -> (Edges, u32) {
    let mut edges = Edges::default();
    let mut nodes = material.len();
    add_reads(&registers.reads, &mut edges);
    if with.has(Edge::Session) {
        add_sessions(material, &registers.happened, &mut edges);
    }
    if with.has(Edge::RealTime) {
        add_real_time(material, &registers.happened, &mut edges, &mut nodes);
    }
    (edges, nodes)
}

impl Judge<'_, '_> {
    /// What is known without any inference: who read from whom, and who came first.
    pub fn base(&self, with: Kinds) -> (Edges, u32) {
        base(self.material, self.registers, with)
    }

    /// What follows for orders that keep these, and whether one explains everything, if that is to be tried.
    pub fn one(&self, with: Kinds, explain: bool) -> One {
        let (graph, cyclic, is_partial) = self.graph(with);
        let updates = |one: u32| self.material.writes(one);
        let components = graph.cycles(ITEMS.and(with));
        let searched: Vec<Searched> = components
            .iter()
            .map(|component| cycles::search_with(&graph, component, &updates, with))
            .collect();
        let may_hold = explain && searched.is_empty() && cyclic.is_empty();
        let order = may_hold.then(|| serial::order(&graph, with, self.registers));
        let (weakest, of_snapshots) = match with {
            REAL_TIME => (Rung::StrongSnapshotIsolation, Rung::StrongSnapshotIsolation),
            SESSIONS => (Rung::Causal, Rung::StrongSessionSnapshotIsolation),
            _ => (Rung::ReadCommitted, Rung::SnapshotIsolation),
        };
        let cycles = || searched.iter().flat_map(|searched| &searched.cycles);
        let may_be = explain
            && cyclic.is_empty()
            && !matches!(order, Some(Order::Serial(_)))
            && !cycles().any(|cycle| cycle.rules_out.contains(&of_snapshots));
        let snapshots = may_be.then(|| self.snapshots(&graph, with)).flatten();
        let keeps_nothing = with == Kinds::of(&[]);
        let rules_out = with_stronger(weakest);
        One { keeps_nothing, cyclic, rules_out, searched, is_partial, order, snapshots }
    }

    /// What the search for snapshots ends with, if there is time for one.
    fn snapshots(&self, graph: &Graph, with: Kinds) -> Option<Order> {
        if is_explained_by_snapshots(graph, with, self.registers) {
            return Some(Order::Serial(Vec::new()));
        }
        let is_small = self.material.len() <= SNAPSHOTS_MOST;
        is_small.then(|| serial::snapshots(graph, with, self.registers))
    }

    /// What the orders that are taken for granted say by themselves: whatever they rule out, all is.
    pub fn by_trust_alone(&self, found: &mut Found) {
        let Trusted { pairs, unwritten } = &self.trusted;
        if pairs.is_empty() && unwritten.is_empty() {
            return;
        }
        for (key, writer, reader) in unwritten {
            found.add_cyclic(*key, vec![*writer], Some(*reader), LEVELS.to_vec());
        }
        let versions = VersionOrder::sorted(pairs.clone(), self.registers.writers.len() as u32);
        let mut edges = Edges::default();
        for (_, before, after) in versions.pairs() {
            edges.add(Edge::Ww, *before, *after);
        }
        for (key, writers) in versions.cycles {
            found.add_cyclic(key, writers, None, LEVELS.to_vec());
        }
        let graph = Graph::new(self.material.len(), self.material.len(), edges);
        let updates = |one: u32| self.material.writes(one);
        for component in graph.cycles(WRITES) {
            cycles::search(&graph, &component, &updates).tell(found);
        }
    }

    /// All that every explanation has to agree on that keeps these orders, the keys of which no order is left,
    /// and whether something is left out of that.
    fn graph(&self, with: Kinds) -> (Graph, Vec<Cyclic>, bool) {
        let (mut edges, mut nodes) = self.base(with);
        let base = Graph::new(self.material.len(), nodes, edges.clone());
        // What is counted is how many of each session come first.
        let has_sessions = with.has(Edge::Session);
        let is_partial = has_sessions && !self.clocks(&base);
        let order = (has_sessions && !is_partial)
            .then(|| Past::of(&self.sessions, &base, INFORMATION.and(with)))
            .flatten();
        drop(base);
        let versions = VersionOrder::of(self.registers, order.as_ref(), &self.trusted);
        drop(order);
        for (_, before, after) in versions.pairs() {
            edges.add(Edge::Ww, *before, *after);
        }
        // Everything comes after what was there first.
        let writers = |key: u32| self.registers.writers[key as usize].iter().copied();
        let mut all: Vec<Option<End>> = self.registers.writers.iter().map(|_| None).collect();
        for read in &self.registers.reads {
            if read.writer == NONE {
                let all = all[read.key as usize]
                    .get_or_insert_with(|| End::new(writers(read.key), &mut edges, &mut nodes));
                all.read_by(read.reader, writers(read.key), &mut edges);
                continue;
            }
            let later = versions.after(read.key, read.writer);
            later.for_each(|after| edges.add(Edge::Rw, read.reader, after));
        }
        (Graph::new(self.material.len(), nodes, edges), versions.cycles, is_partial)
    }

    pub fn clocks(&self, graph: &Graph) -> bool {
        u64::from(graph.len()) * u64::from(self.sessions.count()) <= CLOCKS_MOST
    }
}
