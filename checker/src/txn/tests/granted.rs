//! The levels by their definitions if something is taken for granted of each key: only orders of the versions
//! count that agree with it.

use std::collections::BTreeSet;

use super::oracle::{Given, Relation, all_versions, happened, is_acyclic, or};
use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;
use crate::ladder::Rung;
use crate::txn::trusted::KeyOrders;

/// The levels that hold of registers.
pub fn levels_by(spec: &Spec, keys: KeyOrders) -> BTreeSet<Rung> {
    let mut held = BTreeSet::new();
    for versions in all_versions(spec) {
        let given = Given { spec, versions, happened: happened(spec) };
        if given.agrees_with(keys) {
            held.extend(given.levels());
            held.extend(given.strong_levels());
        }
    }
    held
}

impl Given<'_> {
    /// The levels that [`levels`](super::oracle::levels) leaves to a replay, by their graphs.
    fn strong_levels(&self) -> Vec<Rung> {
        let (ww, wr, rw, so) = (self.ww(), self.wr(), self.rw(), self.session());
        let information = or(&ww, &wr);
        let real_time =
            self.relation_of(|one, other| one.fate == Completion::Ok && one.ends < other.begins);
        let kept = [
            (self.relation(), Rung::Serializable, Rung::SnapshotIsolation),
            (so, Rung::StrongSessionSerializable, Rung::StrongSessionSnapshotIsolation),
            (real_time, Rung::StrictSerializable, Rung::StrongSnapshotIsolation),
        ];
        let mut held = Vec::new();
        for (kept, serial, of_snapshots) in kept {
            let before = or(&information, &kept);
            let holds = self.reads_are_committed();
            held.extend((holds && is_acyclic(&or(&before, &rw))).then_some(serial));
            let no_two = or(&before, &followed(&before, &rw));
            held.extend((holds && is_acyclic(&no_two)).then_some(of_snapshots));
        }
        held
    }

    /// Whether no key goes back where it is taken for granted that none does.
    fn agrees_with(&self, keys: KeyOrders) -> bool {
        self.pairs().all(|(one, other)| {
            let [first, second] = [one, other].map(|at| &self.spec.0[at]);
            let ended = first.fate == Completion::Ok && first.ends < second.begins;
            let counts = keys.linearizable || keys.sequential && first.session == second.session;
            let later = self.known(other, usize::MAX);
            !(ended && counts)
                || self.known(one, usize::MAX).iter().all(|one| {
                    later
                        .iter()
                        .all(|other| one.0 != other.0 || one.2 == other.2 || one.1 <= other.1)
                })
        }) && (0..self.count()).all(|at| {
            let accesses = &self.spec.0[at].accesses;
            let writes = accesses
                .iter()
                .enumerate()
                .filter_map(|(place, one)| Some((place, one.written()?)));
            let mut writes = writes.filter(|_| keys.writes_follow_reads && self.happened[at]);
            writes.all(|(place, (key, value))| {
                let written =
                    1 + self.versions[&key].iter().take_while(|one| **one != value).count();
                let is_last = self.is_final(key, value);
                let reads_own = self.reads_are_own(at, key);
                self.known(at, place).iter().all(|(of, length, writer)| {
                    !is_last
                        || !reads_own
                        || *of != key
                        || *writer == Some(at)
                        || *length <= written
                })
            })
        })
    }

    /// Whether a transaction finds of a key only its own value once it has written it.
    fn reads_are_own(&self, at: usize, key: u32) -> bool {
        let mut own = None;
        self.spec.0[at].accesses.iter().all(|access| match access {
            Access::Write(of, value) if *of == key => {
                own = Some(*value);
                true
            }
            Access::Read(of, value) if *of == key => own.is_none() || own == *value,
            _ => true,
        })
    }

    /// What a transaction that happened found or wrote before some place: the key, the version's number, and
    /// who wrote it.
    fn known(&self, at: usize, until: usize) -> Vec<(u32, usize, Option<usize>)> {
        let reads = self.reads().into_iter().filter(|(of, place, ..)| *of == at && *place < until);
        let found = reads.filter_map(|(_, _, key, length)| {
            let writer =
                length.checked_sub(1).map(|last| self.writer(key, self.versions[&key][last]));
            writer.is_none_or(|one| self.happened[one]).then_some((key, length, writer))
        });
        let accesses = self.spec.0[at].accesses.iter().take(until).filter_map(Access::written);
        let written = accesses.filter(|_| self.happened[at]).map(|(key, value)| {
            let before = self.versions[&key].iter().take_while(|one| **one != value).count();
            (key, before + 1, Some(at))
        });
        found.chain(written).collect()
    }

    fn relation_of(&self, is: impl Fn(&Transaction, &Transaction) -> bool) -> Relation {
        let mut relation = self.relation();
        for (one, other) in self.pairs() {
            if is(&self.spec.0[one], &self.spec.0[other]) {
                self.relate(&mut relation, one, other);
            }
        }
        relation
    }
}

fn followed(one: &Relation, other: &Relation) -> Relation {
    let row = |row: &Vec<bool>| {
        let reaches = |to: usize| (0..row.len()).any(|middle| row[middle] && other[middle][to]);
        (0..row.len()).map(reaches).collect()
    };
    one.iter().map(row).collect()
}
