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
use super::register_reads::{Read, Registers};

/// So often, for each node, somebody is asked in vain at most.
const VAIN_MOST: usize = 64;

/// So often an order is begun again at most, and of long histories less often.
const BEGUN_MOST: u32 = 200;
/// So many transactions are placed at most, by all beginnings together.
const PLACED_MOST: u32 = 4_000_000;

/// Whether such an order is found.
pub(super) fn is_found(graph: &Graph, with: Kinds, registers: &Registers) -> bool {
    let mut learned: Vec<(u32, u32)> = Vec::new();
    let most = (PLACED_MOST / graph.len().max(1)).clamp(2, BEGUN_MOST);
    for _ in 0..most {
        let mut placing = Placing::begin(graph, ITEMS.and(with), registers, &learned);
        if placing.is_done() {
            return true;
        }
        match placing.wrong_guess().filter(|guess| !learned.contains(guess)) {
            Some(guess) => learned.push(guess),
            None => return false,
        }
    }
    false
}

struct Placing<'p> {
    graph: &'p Graph,
    kinds: Kinds,
    /// What has been learned to come before what.
    learned: &'p [(u32, u32)],
    registers: &'p Registers,
    /// Where the reads of each transaction begin.
    starts: Vec<u32>,
    /// How many have to come before each node still.
    before: Vec<u32>,
    /// Who wrote the version that each key has.
    held: Vec<u32>,
    /// How many have to read each version of each key still.
    unread: FxHashMap<(u32, u32), u32>,
    /// Who may come next: those that write, and their numbers.
    free: BinaryHeap<Reverse<(bool, u32)>>,
    /// Who waits for a key to have another version, or for its version to be read.
    waiting: FxHashMap<u32, Vec<u32>>,
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
        let mut starts = vec![0_u32; registers.happened.len() + 1];
        let mut unread: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for read in &registers.reads {
            starts[read.reader as usize + 1] += 1;
            *unread.entry((read.key, read.writer)).or_default() += 1;
        }
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let held = vec![NONE; registers.writers.len()];
        let (free, waiting) = (BinaryHeap::new(), FxHashMap::default());
        Placing { graph, kinds, learned, registers, starts, before, held, unread, free, waiting }
    }

    fn is_done(&mut self) -> bool {
        let nodes = self.graph.len();
        let first = (0..nodes).filter(|node| self.before[*node as usize] == 0);
        self.free = first.map(|node| Reverse((self.writes(node), node))).collect();
        let (mut placed, mut vain) = (0, 0);
        while let Some(Reverse((_, node))) = self.free.pop() {
            match self.obstacle(node) {
                Some(key) => {
                    self.waiting.entry(key).or_default().push(node);
                    vain += 1;
                    if vain > VAIN_MOST * nodes as usize {
                        return false;
                    }
                }
                None => {
                    self.place(node);
                    placed += 1;
                }
            }
        }
        placed == nodes
    }

    /// Who should have come before whom: the earliest that would overwrite what has still to be read,
    /// and who wrote that.
    fn wrong_guess(&self) -> Option<(u32, u32)> {
        let overwrites = |(key, nodes): (&u32, &Vec<u32>)| {
            let held = self.held[*key as usize];
            let writes = |node: &&u32| self.registers.wrote(**node, *key);
            let first = nodes.iter().filter(writes).min()?;
            (held != NONE).then_some((*first, held))
        };
        self.waiting.iter().filter_map(overwrites).min()
    }

    fn is_transaction(&self, node: u32) -> bool {
        (node as usize) < self.registers.happened.len()
    }

    fn writes(&self, node: u32) -> bool {
        self.is_transaction(node) && !self.registers.written(node).is_empty()
    }

    fn reads(&self, transaction: u32) -> &'p [Read] {
        let at = transaction as usize;
        &self.registers.reads[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// A key that does not let it come now.
    fn obstacle(&self, node: u32) -> Option<u32> {
        if !self.is_transaction(node) {
            return None;
        }
        let reads = self.reads(node);
        let is_other = |read: &&Read| self.held[read.key as usize] != read.writer;
        if let Some(read) = reads.iter().find(is_other) {
            return Some(read.key);
        }
        let is_unread = |key: &&u32| {
            let unread = self.unread.get(&(**key, self.held[**key as usize])).copied();
            let own = reads.iter().filter(|read| read.key == **key).count() as u32;
            unread.unwrap_or(0) > own
        };
        self.registers.written(node).iter().find(is_unread).copied()
    }

    fn place(&mut self, node: u32) {
        if self.is_transaction(node) {
            for read in self.reads(node) {
                *self.unread.entry((read.key, read.writer)).or_default() -= 1;
                self.wake(read.key);
            }
            for key in self.registers.written(node) {
                self.held[*key as usize] = node;
                self.wake(*key);
            }
        }
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
