//! What registers hold while transactions take effect one after another, and what has still to be read.

use rustc_hash::FxHashMap;

use super::guess::ReadsOf;
use super::material::NONE;
use super::register_reads::{Read, Registers};

/// The registers at one moment of an order. Nodes behind the transactions do nothing to them.
pub(super) struct Store<'s> {
    registers: &'s Registers,
    reads: ReadsOf<'s>,
    /// Who wrote the version that each key has.
    held: Vec<u32>,
    /// How many have to read each version of each key still.
    unread: FxHashMap<(u32, u32), u32>,
    /// Who had written what was overwritten, the last one last.
    overwritten: Vec<u32>,
}

impl<'s> Store<'s> {
    /// Before any of them.
    pub fn new(registers: &'s Registers) -> Store<'s> {
        let mut unread: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for read in &registers.reads {
            *unread.entry((read.key, read.writer)).or_default() += 1;
        }
        let reads = ReadsOf::new(registers);
        let held = vec![NONE; registers.writers.len()];
        Store { registers, reads, held, unread, overwritten: Vec::new() }
    }

    /// Who wrote the version that a key has, or [`NONE`].
    pub fn held(&self, key: u32) -> u32 {
        self.held[key as usize]
    }

    /// What a transaction reads of others.
    pub fn reads(&self, node: u32) -> &'s [Read] {
        if self.is_transaction(node) { self.reads.of(node) } else { &[] }
    }

    /// The keys that a transaction writes.
    pub fn written(&self, node: u32) -> &'s [u32] {
        if self.is_transaction(node) { self.registers.written(node) } else { &[] }
    }

    fn is_transaction(&self, node: u32) -> bool {
        (node as usize) < self.registers.happened.len()
    }

    /// A key that does not let a transaction take effect now: it would read another version than it did,
    /// or overwrite one that another one has still to read.
    pub fn obstacle(&self, node: u32) -> Option<u32> {
        let reads = self.reads(node);
        let is_other = |read: &&Read| self.held(read.key) != read.writer;
        if let Some(read) = reads.iter().find(is_other) {
            return Some(read.key);
        }
        let is_unread = |key: &&u32| {
            let own = reads.iter().filter(|read| read.key == **key).count() as u32;
            self.unread(**key, self.held(**key)) > own
        };
        self.written(node).iter().find(is_unread).copied()
    }

    /// Whether nobody reads what a transaction that is still to come writes.
    pub fn is_never_read(&self, node: u32) -> bool {
        self.written(node).iter().all(|key| self.unread(*key, node) == 0)
    }

    fn unread(&self, key: u32, writer: u32) -> u32 {
        self.unread.get(&(key, writer)).copied().unwrap_or(0)
    }

    /// Lets a transaction take effect that nothing hinders.
    pub fn apply(&mut self, node: u32) {
        for read in self.reads(node) {
            *self.unread.entry((read.key, read.writer)).or_default() -= 1;
        }
        for key in self.written(node) {
            self.overwritten.push(std::mem::replace(&mut self.held[*key as usize], node));
        }
    }

    /// Makes the last one that took effect undone.
    pub fn take_back(&mut self, node: u32) {
        for key in self.written(node).iter().rev() {
            self.held[*key as usize] = self.overwritten.pop().unwrap_or(NONE);
        }
        for read in self.reads(node) {
            *self.unread.entry((read.key, read.writer)).or_default() += 1;
        }
    }
}
