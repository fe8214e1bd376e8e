//! A history as transactions: arrays of what they accessed, with numbers for keys.

use rustc_hash::FxHashMap;

use crate::history::steps::{Action, Atom, Content};
use crate::history::{Completion, Datum, History, Operation};

/// A number that stands for nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// All transactions of a history, by the position of their operation.
pub(crate) struct Material<'h> {
    pub history: &'h History,
    /// Where the accesses of each transaction begin, and the end of all.
    starts: Vec<u32>,
    pub accesses: Vec<Access<'h>>,
    pub keys: Vec<Atom<'h>>,
    /// The transaction of each access.
    pub owner: Vec<u32>,
    /// The last access before each one to its key in its transaction, or [`NONE`].
    pub previous: Vec<u32>,
    /// Whether the same transaction wrote to the key once more after each write.
    pub overwritten: Vec<bool>,
}

/// One access. What a transaction read that did not end with `ok` is not among them.
#[derive(Clone, Copy)]
pub(crate) struct Access<'h> {
    pub action: Action,
    pub key: u32,
    pub content: Content<'h>,
}

impl<'h> Material<'h> {
    /// Takes the accesses that `may_be` some of this object. An error is the operation that is no such
    /// transaction.
    pub fn of(
        history: &'h History,
        may_be: impl Fn(Action, Content<'_>) -> bool,
    ) -> Result<Material<'h>, &'h Operation> {
        let operations = history.operations();
        let mut ids: FxHashMap<Atom<'h>, u32> = FxHashMap::default();
        let mut keys = Vec::new();
        let mut starts = Vec::with_capacity(operations.len() + 1);
        let mut accesses = Vec::with_capacity(4 * operations.len());
        for operation in operations {
            starts.push(accesses.len() as u32);
            let is_ok = operation.is_ok();
            // Some say nothing more once they know that it happened.
            let value = match operation.result() {
                result if is_ok && !result.is_null() => result,
                _ => operation.argument(),
            };
            let steps = match value {
                Datum::Steps(steps) => steps,
                Datum::List(none) if none.is_empty() => continue,
                _ => return Err(operation),
            };
            let reads_are_known = is_ok && !operation.result().is_null();
            for step in steps.iter() {
                if !may_be(step.action, step.content) {
                    return Err(operation);
                }
                if step.action == Action::Read && !reads_are_known {
                    continue;
                }
                let key = *ids.entry(step.key).or_insert_with(|| {
                    keys.push(step.key);
                    keys.len() as u32 - 1
                });
                accesses.push(Access { action: step.action, key, content: step.content });
            }
        }
        starts.push(accesses.len() as u32);
        let nothing = Vec::new();
        let (owner, previous, overwritten) = (nothing.clone(), nothing, Vec::new());
        let mut material =
            Material { history, starts, accesses, keys, owner, previous, overwritten };
        material.link();
        Ok(material)
    }

    /// Finds what belongs together within transactions.
    fn link(&mut self) {
        self.owner.reserve(self.accesses.len());
        self.previous.reserve(self.accesses.len());
        self.overwritten = vec![false; self.accesses.len()];
        // The last access and the last write of each key, and so of which transaction they are.
        let mut last = vec![(NONE, NONE); self.keys.len()];
        for transaction in 0..self.len() {
            let range = self.range(transaction);
            for at in range.clone() {
                let access = &self.accesses[at as usize];
                let (last, last_write) = &mut last[access.key as usize];
                let of_this = |other: u32| other != NONE && other >= range.start;
                self.owner.push(transaction);
                self.previous.push(if of_this(*last) { *last } else { NONE });
                *last = at;
                if access.action != Action::Read {
                    if of_this(*last_write) {
                        self.overwritten[*last_write as usize] = true;
                    }
                    *last_write = at;
                }
            }
        }
    }

    /// How many transactions there are.
    pub fn len(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    pub fn operation(&self, transaction: u32) -> &'h Operation {
        &self.history.operations()[transaction as usize]
    }

    pub fn completion(&self, transaction: u32) -> Completion {
        self.operation(transaction).completion()
    }

    /// Whether a transaction writes anything.
    pub fn writes(&self, transaction: u32) -> bool {
        self.of_transaction(transaction).iter().any(|access| access.action != Action::Read)
    }

    /// The accesses of a transaction, by their positions.
    pub fn range(&self, transaction: u32) -> std::ops::Range<u32> {
        self.starts[transaction as usize]..self.starts[transaction as usize + 1]
    }

    /// The accesses of a transaction.
    pub fn of_transaction(&self, transaction: u32) -> &[Access<'h>] {
        let range = self.range(transaction);
        &self.accesses[range.start as usize..range.end as usize]
    }

    /// An access, and those before it to its key in its transaction, the last one first.
    pub fn back_from(&self, at: u32) -> impl Iterator<Item = (u32, &Access<'h>)> {
        let before = |at: &u32| Some(self.previous[*at as usize]).filter(|at| *at != NONE);
        std::iter::successors(Some(at), before).map(|at| (at, &self.accesses[at as usize]))
    }
}
