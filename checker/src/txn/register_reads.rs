//! Registers: which write each read found, and what is wrong with single reads.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::append::Repeated;
use super::found::{Found, Instance};
use super::material::{Access, Material, NONE};
use crate::history::Completion;
use crate::history::steps::{Action, Atom, AtomOwned, Content};

/// A read of what another transaction wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub reader: u32,
    pub key: u32,
    /// The transaction that wrote what was found; [`NONE`] if it was there from the beginning.
    pub writer: u32,
}

/// What is known of all registers.
pub(crate) struct Registers {
    /// In the order of the accesses.
    pub reads: Vec<Read>,
    /// For each transaction whether it certainly happened.
    pub happened: Vec<bool>,
    /// Who wrote each key, in the order of their numbers.
    pub writers: Vec<Vec<u32>>,
    /// Where the keys that each transaction wrote begin in `written`, and the end of all.
    starts: Vec<u32>,
    /// The keys that each transaction that happened wrote, in order.
    written: Vec<u32>,
}

impl Registers {
    /// Finds them, and what is wrong. `initial` is what every register holds at first.
    pub fn of(
        material: &Material<'_>,
        initial: &AtomOwned,
        found: &mut Found,
    ) -> Result<Registers, Repeated> {
        let by_value = by_value(material)?;
        let mut registers = Registers {
            reads: Vec::new(),
            happened: (0..material.len())
                .map(|one| material.completion(one) == Completion::Ok)
                .collect(),
            writers: vec![Vec::new(); material.keys.len()],
            starts: Vec::new(),
            written: Vec::new(),
        };
        // What each transaction knows of a key: the last value that it wrote or read.
        let mut last: Vec<(u32, Option<Value<'_>>)> = vec![(NONE, None); material.keys.len()];
        // Of each version the first that read it and then wrote.
        let mut updaters: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (at, access) in (0..).zip(&material.accesses) {
            let (key, transaction) = (access.key, material.owner[at as usize]);
            let (of, known) = &mut last[key as usize];
            if *of != transaction {
                (*of, *known) = (transaction, None);
            }
            if access.action == Action::Write {
                if let Some(Value { own: false, writer, .. }) = *known {
                    let other = *updaters.entry((key, writer)).or_insert(transaction);
                    if other != transaction {
                        found.add(Instance::LostUpdate { key, updates: [other, transaction] });
                    }
                }
                *known = Some(Value { content: access.content, own: true, writer: transaction });
                continue;
            }
            let source = source(&by_value, key, access.content, initial);
            let writer = match source {
                Source::Nobody => {
                    found.add(Instance::Phantom { key, reader: transaction });
                    continue;
                }
                Source::Initial => NONE,
                Source::Access(write) => material.owner[write as usize],
            };
            let (own, content) = known.map_or((false, None), |v| (v.own, Some(v.content)));
            if writer == transaction && !own {
                found.add(Instance::FutureRead { key, transaction });
            } else if content.is_some_and(|content| content != access.content) {
                found.add(Instance::Internal { key, transaction, own });
            }
            if writer != transaction {
                if let Source::Access(write) = source {
                    if material.completion(writer) == Completion::Fail {
                        found.add(Instance::G1a { key, writer, reader: transaction });
                    } else if material.overwritten[write as usize] {
                        found.add(Instance::G1b { key, writer, reader: transaction });
                    }
                    if material.completion(writer) == Completion::Info {
                        registers.happened[writer as usize] = true;
                    }
                }
                registers.reads.push(Read { reader: transaction, key, writer });
                if known.is_none() {
                    *known = Some(Value { content: access.content, own: false, writer });
                }
            }
        }
        registers
            .reads
            .retain(|read| read.writer == NONE || registers.happened[read.writer as usize]);
        registers.write(material);
        Ok(registers)
    }

    /// Notes who wrote what.
    fn write(&mut self, material: &Material<'_>) {
        for transaction in 0..material.len() {
            let from = self.written.len();
            self.starts.push(from as u32);
            if !self.happened[transaction as usize] {
                continue;
            }
            let writes = |access: &&Access<'_>| access.action == Action::Write;
            let keys = material.of_transaction(transaction).iter().filter(writes);
            self.written.extend(keys.map(|access| access.key));
            self.written[from..].sort_unstable();
            let mut last = NONE;
            let mut kept = from;
            for at in from..self.written.len() {
                let key = self.written[at];
                if key != last {
                    (last, self.written[kept]) = (key, key);
                    kept += 1;
                    self.writers[key as usize].push(transaction);
                }
            }
            self.written.truncate(kept);
        }
        self.starts.push(self.written.len() as u32);
    }

    /// What is known if all but a part did not happen, the part in the order of its numbers.
    pub fn only(&self, part: &[u32]) -> Registers {
        let is_part = |one: u32| part.binary_search(&one).is_ok();
        let is_read =
            |read: &&Read| is_part(read.reader) && (read.writer == NONE || is_part(read.writer));
        let mut only = Registers {
            reads: self.reads.iter().filter(is_read).copied().collect(),
            happened: (0..self.happened.len() as u32).map(is_part).collect(),
            writers: vec![Vec::new(); self.writers.len()],
            starts: vec![0],
            written: Vec::new(),
        };
        for one in 0..self.happened.len() as u32 {
            let written = if is_part(one) { self.written(one) } else { &[] };
            written.iter().for_each(|key| only.writers[*key as usize].push(one));
            only.written.extend(written);
            only.starts.push(only.written.len() as u32);
        }
        only
    }

    /// The same with two moments for each transaction, twice its number for its beginning, in which it reads,
    /// and one more for its end, in which it writes. Who writes a key that others write too begins by writing
    /// one more key, and ends by reading that: so none of the others begins in between.
    pub fn in_moments(&self) -> Registers {
        let keys = self.writers.len() as u32;
        let mut moments = Registers {
            reads: Vec::with_capacity(self.reads.len() + self.written.len()),
            happened: vec![true; 2 * self.happened.len()],
            writers: vec![Vec::new(); 2 * self.writers.len()],
            starts: vec![0],
            written: Vec::with_capacity(2 * self.written.len()),
        };
        let mut reads = self.reads.iter().peekable();
        for one in 0..self.happened.len() as u32 {
            let (begin, end) = (2 * one, 2 * one + 1);
            while let Some(Read { key, writer, .. }) = reads.next_if(|read| read.reader == one) {
                let writer = if *writer == NONE { NONE } else { 2 * *writer + 1 };
                moments.reads.push(Read { reader: begin, key: *key, writer });
            }
            let is_shared = |key: &&u32| self.writers[**key as usize].len() > 1;
            for key in self.written(one).iter().filter(is_shared) {
                moments.write_at(begin, keys + key);
                moments.reads.push(Read { reader: end, key: keys + key, writer: begin });
            }
            moments.starts.push(moments.written.len() as u32);
            self.written(one).iter().for_each(|key| moments.write_at(end, *key));
            moments.starts.push(moments.written.len() as u32);
        }
        moments
    }

    fn write_at(&mut self, moment: u32, key: u32) {
        self.writers[key as usize].push(moment);
        self.written.push(key);
    }

    /// The keys that a transaction wrote, in order; none if it did not happen.
    pub fn written(&self, transaction: u32) -> &[u32] {
        let at = transaction as usize;
        &self.written[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Whether a transaction that happened wrote a key.
    pub fn wrote(&self, transaction: u32, key: u32) -> bool {
        self.written(transaction).binary_search(&key).is_ok()
    }
}

#[derive(Clone, Copy)]
struct Value<'h> {
    content: Content<'h>,
    /// Whether the transaction wrote it itself.
    own: bool,
    writer: u32,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Source {
    Access(u32),
    Initial,
    Nobody,
}

fn source(
    by_value: &FxHashMap<(u32, Atom<'_>), u32>,
    key: u32,
    content: Content<'_>,
    initial: &AtomOwned,
) -> Source {
    let Content::One(value) = content else { return Source::Nobody };
    match by_value.get(&(key, value)) {
        Some(write) => Source::Access(*write),
        None if value == initial.get() || value.is_null() => Source::Initial,
        None => Source::Nobody,
    }
}

fn by_value<'h>(material: &Material<'h>) -> Result<FxHashMap<(u32, Atom<'h>), u32>, Repeated> {
    let is_write = |access: &&Access<'_>| access.action == Action::Write;
    let writes = material.accesses.iter().filter(is_write).count();
    let mut by_value = FxHashMap::with_capacity_and_hasher(writes, FxBuildHasher);
    for (at, access) in (0..).zip(&material.accesses) {
        if let (Action::Write, Content::One(value)) = (access.action, access.content)
            && let Some(other) = by_value.insert((access.key, value), at)
        {
            return Err(Repeated(other, at));
        }
    }
    Ok(by_value)
}
