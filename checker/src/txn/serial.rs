//! The search for a serial order of all transactions that explains every read (Wing and Gong 1993, with
//! Lowe's memory of what was tried, 2017), under a budget.
//!
//! An order is built one transaction at a time. Next comes one that everything known to come before it has
//! come before, whose reads find what is there now, and that overwrites nothing which another one has still
//! to read. Where nobody can come any more, the last choice is taken back.
//!
//! Three things keep it small. What is there matters only as far as somebody has still to read it, and what
//! has still to be read is not overwritten: so which transactions have taken effect says everything, and
//! from no set of them is it tried twice. And whoever can come and writes nothing that is still to be read
//! comes at once: no order becomes wrong if it comes that early. And who has written what is still to be read
//! has come too early if one that has to come before a reader overwrites it.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{Edges, Graph, ITEMS, Kinds};
use super::placed::placed;
use super::register_reads::Registers;
use super::snapshot::Halves;
use super::store::Store;

/// So often somebody is asked whether it can come next, at most.
const ASKED_MOST: u64 = 10_000_000;
/// The same of beginnings and ends.
const SNAPSHOTS_ASKED_MOST: u64 = 3_000_000;
/// So many words of sets that were tried are remembered, at most.
const WORDS_MOST: usize = 8_000_000;

/// What a search ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// An order of all transactions that explains every read, and keeps what was to be kept.
    Serial(Vec<u32>),
    /// There is none.
    Impossible,
    /// The budget ended first.
    Exhausted,
}

/// Looks for an order that keeps what edges of these kinds say, and the order of reads and writes: first by
/// guesses, which often do.
pub(super) fn order(graph: &Graph, with: Kinds, registers: &Registers) -> Order {
    match placed(graph, with, registers) {
        Some(order) => Order::of(order, graph),
        None => search(graph, with, registers, ASKED_MOST).0,
    }
}

/// The same for an order of the beginnings and ends of transactions that each read what was there when they
/// began, and of which no two that write the same key are open at once: snapshots that explain every read. It is
/// a serial order of the moments (Biswas and Enea 2019).
pub(super) fn snapshots(graph: &Graph, with: Kinds, registers: &Registers) -> Order {
    let moments = Halves { graph, with }.graph();
    let registers = registers.in_moments();
    match placed(&moments, Kinds::of(&[]), &registers) {
        Some(order) => Order::of(order, &moments),
        None => search(&moments, Kinds::of(&[]), &registers, SNAPSHOTS_ASKED_MOST).0,
    }
}

/// The same by a search alone, in which nobody is asked more often than that; says how often somebody was.
pub(super) fn search(
    graph: &Graph,
    with: Kinds,
    registers: &Registers,
    asked_most: u64,
) -> (Order, u64) {
    let mut search = Search::new(graph, ITEMS.and(with), registers);
    // The choices: how many had come before each, and who has not been tried yet.
    let mut choices: Vec<(usize, Vec<u32>)> = Vec::new();
    loop {
        search.settle();
        if search.order.len() == graph.len() as usize {
            return (Order::of(search.order, graph), search.asked);
        }
        if search.remember() {
            choices.push((search.order.len(), search.candidates()));
        }
        loop {
            if search.asked > asked_most || search.words > WORDS_MOST {
                return (Order::Exhausted, search.asked);
            }
            let Some((come, untried)) = choices.last_mut() else {
                return (Order::Impossible, search.asked);
            };
            let Some(next) = untried.pop() else {
                choices.pop();
                continue;
            };
            search.back_to(*come);
            search.place(next);
            if !search.is_doomed(next) {
                break;
            }
        }
    }
}

impl Order {
    /// Of all nodes, those that are transactions.
    fn of(mut nodes: Vec<u32>, graph: &Graph) -> Order {
        nodes.retain(|node| *node < graph.transactions);
        Order::Serial(nodes)
    }
}

struct Search<'s> {
    graph: &'s Graph,
    kinds: Kinds,
    store: Store<'s>,
    /// The same edges the other way round, who reads each version of each key, and whom a search among them
    /// has seen, by its number.
    back: Graph,
    readers: FxHashMap<(u32, u32), Vec<u32>>,
    seen: Vec<u64>,
    searches: u64,
    /// How many have to come before each node still.
    before: Vec<u32>,
    /// Of whom nobody has to come before any more.
    free: BTreeSet<u32>,
    /// Who has come, and the same as a set of transactions, in words of which all before `full` have all
    /// their members and all from `empty` on have none.
    order: Vec<u32>,
    come: Vec<u64>,
    full: usize,
    empty: usize,
    /// Sets from which it was tried: where their first words begin, and the words.
    tried: FxHashSet<(usize, Box<[u64]>)>,
    words: usize,
    asked: u64,
}

impl<'s> Search<'s> {
    fn new(graph: &'s Graph, kinds: Kinds, registers: &'s Registers) -> Search<'s> {
        let mut before = vec![0_u32; graph.len() as usize];
        let mut back = Edges::default();
        for node in 0..graph.len() {
            for (kind, to) in graph.by(node, kinds) {
                before[to as usize] += 1;
                back.add(kind, to, node);
            }
        }
        let mut readers: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        for read in &registers.reads {
            readers.entry((read.key, read.writer)).or_default().push(read.reader);
        }
        Search {
            graph,
            kinds,
            store: Store::new(registers),
            back: Graph::new(graph.transactions, graph.len(), back),
            readers,
            seen: vec![0; graph.len() as usize],
            searches: 0,
            free: (0..graph.len()).filter(|node| before[*node as usize] == 0).collect(),
            before,
            order: Vec::new(),
            come: vec![0; graph.transactions as usize / 64 + 1],
            full: 0,
            empty: 0,
            tried: FxHashSet::default(),
            words: 0,
            asked: 0,
        }
    }

    /// Lets all come that can do so at once without harm; none of them hinders another.
    fn settle(&mut self) {
        loop {
            self.asked += self.free.len() as u64;
            let harmless = |node: &u32| {
                self.store.is_never_read(*node) && self.store.obstacle(*node).is_none()
            };
            let harmless: Vec<u32> = self.free.iter().copied().filter(harmless).collect();
            if harmless.is_empty() {
                return;
            }
            harmless.into_iter().for_each(|node| self.place(node));
        }
    }

    /// Who can come next, the first to be tried last.
    fn candidates(&mut self) -> Vec<u32> {
        self.asked += self.free.len() as u64;
        let can_come = |node: &u32| self.store.obstacle(*node).is_none();
        self.free.iter().rev().copied().filter(can_come).collect()
    }

    /// Whether who came last wrote what can not be read any more by all who have to: one of them has to come
    /// after another one that overwrites it.
    fn is_doomed(&mut self, last: u32) -> bool {
        self.store.written(last).iter().any(|key| {
            let readers = self.readers.get(&(*key, last)).cloned().unwrap_or_default();
            readers.into_iter().any(|reader| self.is_too_late(reader, *key))
        })
    }

    /// Whether somebody who overwrites a key has to come before a reader of it: by what is known, and because
    /// what has still to be read is not overwritten.
    fn is_too_late(&mut self, reader: u32, key: u32) -> bool {
        self.searches += 1;
        let mut open = vec![reader];
        while let Some(node) = open.pop() {
            if self.has_come(node) || self.seen[node as usize] == self.searches {
                continue;
            }
            self.seen[node as usize] = self.searches;
            self.asked += 1;
            if node != reader && self.store.written(node).contains(&key) {
                return true;
            }
            open.extend(self.back.from(node).map(|(_, before)| before));
            for key in self.store.written(node) {
                let readers = self.readers.get(&(*key, self.store.held(*key)));
                open.extend(readers.into_iter().flatten().filter(|one| **one != node));
            }
        }
        false
    }

    fn has_come(&self, node: u32) -> bool {
        node < self.graph.transactions && self.come[node as usize / 64] >> (node % 64) & 1 == 1
    }

    /// Notes who has come; false if it was tried from there before.
    fn remember(&mut self) -> bool {
        while self.come.get(self.full).is_some_and(|word| *word == u64::MAX) {
            self.full += 1;
        }
        while self.empty > self.full && self.come[self.empty - 1] == 0 {
            self.empty -= 1;
        }
        let words: Box<[u64]> = self.come[self.full..self.empty.max(self.full)].into();
        self.words += words.len() + 3;
        self.tried.insert((self.full, words))
    }

    fn place(&mut self, node: u32) {
        self.free.remove(&node);
        self.store.apply(node);
        self.order.push(node);
        if node < self.graph.transactions {
            let word = node as usize / 64;
            self.come[word] |= 1 << (node % 64);
            self.empty = self.empty.max(word + 1);
        }
        for (_, to) in self.graph.by(node, self.kinds) {
            self.before[to as usize] -= 1;
            if self.before[to as usize] == 0 {
                self.free.insert(to);
            }
        }
    }

    /// Makes undone who came after the first few.
    fn back_to(&mut self, come: usize) {
        while self.order.len() > come {
            let Some(node) = self.order.pop() else { return };
            for (_, to) in self.graph.by(node, self.kinds) {
                if self.before[to as usize] == 0 {
                    self.free.remove(&to);
                }
                self.before[to as usize] += 1;
            }
            if node < self.graph.transactions {
                let word = node as usize / 64;
                self.come[word] &= !(1 << (node % 64));
                self.full = self.full.min(word);
            }
            self.store.take_back(node);
            self.free.insert(node);
        }
    }
}
