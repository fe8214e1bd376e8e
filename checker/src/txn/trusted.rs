//! What may be taken for granted of the versions of single registers.
//!
//! Nothing in a history tells in which order the versions of a register came. Whoever knows more of a system
//! may say so, as to Elle (Kingsbury and Alvaro, VLDB 2020): that each key by itself is linearizable, or
//! sequential, or that what a transaction writes to a key comes after what it read of it. From that follow
//! orders of versions, and more cycles.

use rustc_hash::FxHashMap;

use super::material::{Material, NONE};
use super::register_reads::{Read, Registers};
use super::sessions::Sessions;
use crate::history::steps::Action;

/// What is taken for granted of each register by itself, whatever transactions do to several of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyOrders {
    /// What a transaction finds or writes is no older than what was found or written by those that had
    /// completed when it was invoked (Elle's `linearizable-keys?`).
    pub linearizable: bool,
    /// The same for those before it in its process (Elle's `sequential-keys?`).
    pub sequential: bool,
    /// What a transaction writes comes after what it read (Elle's `wfr-keys?`). From read committed on this
    /// holds anyway; taken for granted it rules out read uncommitted too.
    pub writes_follow_reads: bool,
}

/// What follows for the versions.
#[derive(Default)]
pub(crate) struct Trusted {
    /// Key, and who wrote the earlier version, and the later one.
    pub pairs: Vec<(u32, u32, u32)>,
    /// Key, who wrote it or found it written, and who found it unwritten after that.
    pub unwritten: Vec<(u32, u32, u32)>,
}

/// The versions of a key that a transaction found or wrote, by who wrote them.
struct Visit {
    transaction: u32,
    versions: Vec<u32>,
}

impl Trusted {
    pub fn of(
        material: &Material<'_>,
        registers: &Registers,
        sessions: &Sessions,
        keys: KeyOrders,
    ) -> Trusted {
        let mut trusted = Trusted::default();
        if keys == KeyOrders::default() {
            return trusted;
        }
        if keys.writes_follow_reads {
            trusted.add_writes_after_reads(material, registers);
        }
        if !keys.sequential && !keys.linearizable {
            return trusted.sorted();
        }
        for (key, visits) in visits(registers) {
            if keys.sequential {
                let mut known = FxHashMap::default();
                for visit in &visits {
                    let (session, _) = sessions.place(visit.transaction);
                    if let Some(last) = known.insert(session, visit) {
                        trusted.before(key, last, visit);
                    }
                }
            }
            if keys.linearizable && material.history.has_real_time() {
                trusted.add_linearizable(material, key, &visits);
            }
        }
        trusted.sorted()
    }

    /// Of who wrote a key and then read of it what is not its own nobody knows which came first.
    fn add_writes_after_reads(&mut self, material: &Material<'_>, registers: &Registers) {
        let updates = |read: &&Read| read.writer != NONE && registers.wrote(read.reader, read.key);
        for Read { reader, key, writer } in registers.reads.iter().filter(updates) {
            let mut own = None;
            let mut of_key = material.of_transaction(*reader).iter().filter(|one| one.key == *key);
            let reads_own = of_key.all(|one| {
                if one.action == Action::Write {
                    own = Some(one.content);
                }
                own.is_none_or(|own| own == one.content)
            });
            if reads_own {
                self.pairs.push((*key, *writer, *reader));
            }
        }
    }

    fn sorted(mut self) -> Trusted {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self
    }

    /// Of those that had completed only the last ones count: all versions of the others come before all of
    /// these.
    fn add_linearizable(&mut self, material: &Material<'_>, key: u32, visits: &[Visit]) {
        let invoked = |visit: &Visit| material.operation(visit.transaction).invoked.index;
        let completed = |visit: &Visit| {
            let operation = material.operation(visit.transaction);
            operation.completed().filter(|_| operation.is_ok()).map(|at| at.index)
        };
        let mut by_end: Vec<(u64, &Visit)> =
            visits.iter().filter_map(|visit| Some((completed(visit)?, visit))).collect();
        by_end.sort_unstable_by_key(|(end, _)| *end);
        let mut ends = by_end.into_iter().peekable();
        let mut last: Vec<(u64, &Visit)> = Vec::new();
        for visit in visits {
            while let Some((end, one)) = ends.next_if(|(end, _)| *end < invoked(visit)) {
                last.retain(|(end, _)| *end > invoked(one));
                last.push((end, one));
            }
            for (_, one) in &last {
                self.before(key, one, visit);
            }
        }
    }

    /// Adds that what one transaction found or wrote is no newer than what another one did.
    fn before(&mut self, key: u32, one: &Visit, other: &Visit) {
        for earlier in one.versions.iter().filter(|earlier| **earlier != NONE) {
            for later in other.versions.iter().filter(|later| *later != earlier) {
                match *later {
                    NONE => self.unwritten.push((key, *earlier, other.transaction)),
                    later => self.pairs.push((key, *earlier, later)),
                }
            }
        }
    }
}

/// What transactions found of each key and wrote to it, in the order in which they were invoked.
fn visits(registers: &Registers) -> Vec<(u32, Vec<Visit>)> {
    let mut all: Vec<Vec<Visit>> = registers.writers.iter().map(|_| Vec::new()).collect();
    let mut add = |key: u32, transaction: u32, version: u32| {
        let visits = &mut all[key as usize];
        match visits.last_mut().filter(|visit| visit.transaction == transaction) {
            Some(visit) if visit.versions.contains(&version) => {}
            Some(visit) => visit.versions.push(version),
            None => visits.push(Visit { transaction, versions: vec![version] }),
        }
    };
    let mut reads = registers.reads.iter().peekable();
    for transaction in 0..registers.happened.len() as u32 {
        while let Some(read) = reads.next_if(|read| read.reader == transaction) {
            add(read.key, transaction, read.writer);
        }
        registers.written(transaction).iter().for_each(|key| add(*key, transaction, transaction));
    }
    (0..).zip(all).collect()
}
