//! An order of all transactions that is built one at a time: next comes one that everything known to come
//! before it has come before, whose reads find what is there now, and that overwrites nothing which
//! another one has still to read.
//!
//! Whoever only reads comes as soon as it can, which never does harm. Of those that write the earliest
//! comes first, and that is a guess. Where nobody can come any more, it was a wrong one: the earliest of
//! those that would overwrite what has still to be read should have come before who wrote that, and does
//! so the next time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::graph::{Graph, ITEMS, Kinds};
use super::material::NONE;
use super::register_reads::Registers;
use super::store::Store;

/// So often, for each node, somebody is asked in vain at most.
const VAIN_MOST: usize = 64;

/// So often an order is begun again at most, and of long histories less often.
const BEGUN_MOST: u32 = 200;
/// So many transactions are placed at most, by all beginnings together.
const PLACED_MOST: u32 = 4_000_000;

/// Such an order of all nodes, if one is found.
pub(super) fn placed(graph: &Graph, with: Kinds, registers: &Registers) -> Option<Vec<u32>> {
    let mut learned: Vec<(u32, u32)> = Vec::new();
    let most = (PLACED_MOST / graph.len().max(1)).clamp(2, BEGUN_MOST);
    for _ in 0..most {
        let mut placing = Placing::begin(graph, ITEMS.and(with), registers, &learned);
        if placing.is_done() {
            return Some(placing.order);
        }
        let guess = placing.wrong_guess().filter(|guess| !learned.contains(guess))?;
        learned.push(guess);
    }
    None
}

struct Placing<'p> {
    graph: &'p Graph,
    kinds: Kinds,
    /// What has been learned to come before what.
    learned: &'p [(u32, u32)],
    store: Store<'p>,
    /// How many have to come before each node still.
    before: Vec<u32>,
    /// Who may come next: those that write, and their numbers.
    free: BinaryHeap<Reverse<(bool, u32)>>,
    /// Who waits for a key to have another version, or for its version to be read.
    waiting: FxHashMap<u32, Vec<u32>>,
    order: Vec<u32>,
}

impl<'p> Placing<'p> {
    fn begin(
        graph: &'p Graph,
        kinds: Kinds,
        registers: &'p Registers,
        learned: &'p [(u32, u32)],
    ) -> Placing<'p> {
        let mut before = vec![0_u32; graph.len() as usize];
        let targets = (0..graph.len()).flat_map(|node| graph.by(node, kinds));
        targets.for_each(|(_, to)| before[to as usize] += 1);
        learned.iter().for_each(|(_, to)| before[*to as usize] += 1);
        let store = Store::new(registers);
        let (free, waiting, order) = (BinaryHeap::new(), FxHashMap::default(), Vec::new());
        Placing { graph, kinds, learned, store, before, free, waiting, order }
    }

    fn is_done(&mut self) -> bool {
        let nodes = self.graph.len();
        let first = (0..nodes).filter(|node| self.before[*node as usize] == 0);
        self.free = first.map(|node| Reverse((self.writes(node), node))).collect();
        let mut vain = 0;
        while let Some(Reverse((_, node))) = self.free.pop() {
            match self.store.obstacle(node) {
                Some(key) => {
                    self.waiting.entry(key).or_default().push(node);
                    vain += 1;
                    if vain > VAIN_MOST * nodes as usize {
                        return false;
                    }
                }
                None => self.place(node),
            }
        }
        self.order.len() == nodes as usize
    }

    /// Who should have come before whom: the earliest that would overwrite what has still to be read,
    /// and who wrote that.
    fn wrong_guess(&self) -> Option<(u32, u32)> {
        let overwrites = |(key, nodes): (&u32, &Vec<u32>)| {
            let held = self.store.held(*key);
            let writes = |node: &&u32| self.store.written(**node).contains(key);
            let first = nodes.iter().filter(writes).min()?;
            (held != NONE).then_some((*first, held))
        };
        self.waiting.iter().filter_map(overwrites).min()
    }

    fn writes(&self, node: u32) -> bool {
        !self.store.written(node).is_empty()
    }

    fn place(&mut self, node: u32) {
        self.store.apply(node);
        self.order.push(node);
        self.store.reads(node).iter().for_each(|read| self.wake(read.key));
        self.store.written(node).iter().for_each(|key| self.wake(*key));
        let learned = self.learned.iter().filter(|(from, _)| *from == node).map(|(_, to)| *to);
        for to in self.graph.by(node, self.kinds).map(|(_, to)| to).chain(learned) {
            self.before[to as usize] -= 1;
            if self.before[to as usize] == 0 {
                self.free.push(Reverse((self.writes(to), to)));
            }
        }
    }

    fn wake(&mut self, key: u32) {
        for node in self.waiting.remove(&key).unwrap_or_default() {
            self.free.push(Reverse((self.writes(node), node)));
        }
    }
}
