//! The levels by their definitions: there are orders of the versions such that the dependencies, all of
//! them written out, do this and not that.

use std::collections::{BTreeMap, BTreeSet};

use super::replay::{Keeps, is_serializable, is_snapshot_isolated};
use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;
use crate::ladder::Rung;
use crate::txn::levels::LEVELS;

/// A relation between transactions.
pub(super) type Relation = Vec<Vec<bool>>;

/// The levels that hold.
pub fn levels(spec: &Spec) -> BTreeSet<Rung> {
    let mut held = BTreeSet::new();
    for versions in all_versions(spec) {
        held.extend(Given { spec, versions, happened: happened(spec) }.levels());
    }
    for (rung, keeps) in [
        (Rung::Serializable, Keeps::Nothing),
        (Rung::StrongSessionSerializable, Keeps::Sessions),
        (Rung::StrictSerializable, Keeps::RealTime),
    ] {
        held.extend(is_serializable(spec, keeps).then_some(rung));
    }
    for (rung, keeps) in [
        (Rung::SnapshotIsolation, Keeps::Nothing),
        (Rung::StrongSessionSnapshotIsolation, Keeps::Sessions),
        (Rung::StrongSnapshotIsolation, Keeps::RealTime),
    ] {
        held.extend(is_snapshot_isolated(spec, keeps).then_some(rung));
    }
    debug_assert!(held.iter().all(|level| LEVELS.contains(level)));
    held
}

/// What was read at all.
fn was_read(spec: &Spec, key: u32, value: u32) -> bool {
    spec.0.iter().filter(|one| one.fate == Completion::Ok).flat_map(|one| &one.accesses).any(
        |access| match access {
            Access::List(of, list) => *of == key && list.contains(&value),
            Access::Read(of, read) => *of == key && *read == Some(value),
            _ => false,
        },
    )
}

pub(super) fn happened(spec: &Spec) -> Vec<bool> {
    let of = |one: &Transaction| match one.fate {
        Completion::Ok => true,
        Completion::Fail => false,
        Completion::Info => {
            let mut written = one.accesses.iter().filter_map(Access::written);
            written.any(|(key, value)| was_read(spec, key, value))
        }
    };
    spec.0.iter().map(of).collect()
}

/// For each key its values in an order that no read contradicts; all such orders of all keys.
pub(super) fn all_versions(spec: &Spec) -> Vec<BTreeMap<u32, Vec<u32>>> {
    let happened = happened(spec);
    let mut values: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (one, happened) in spec.0.iter().zip(&happened) {
        for access in &one.accesses {
            let of_key = values.entry(access.key()).or_default();
            if let Some((key, value)) = access.written()
                && (*happened || was_read(spec, key, value))
            {
                of_key.push(value);
            }
        }
    }
    let mut all = vec![BTreeMap::new()];
    for (key, values) in values {
        let mut orders = Vec::new();
        permute(&values, &mut Vec::new(), &mut orders);
        orders.retain(|order| agrees(spec, key, order));
        all = all
            .into_iter()
            .flat_map(|known| {
                orders.iter().map(move |order| {
                    let mut known = known.clone();
                    known.insert(key, order.clone());
                    known
                })
            })
            .collect();
    }
    all
}

fn permute(left: &[u32], order: &mut Vec<u32>, all: &mut Vec<Vec<u32>>) {
    if left.is_empty() {
        all.push(order.clone());
    }
    for at in 0..left.len() {
        let mut left = left.to_vec();
        order.push(left.remove(at));
        permute(&left, order, all);
        order.pop();
    }
}

fn agrees(spec: &Spec, key: u32, order: &[u32]) -> bool {
    let ok = spec.0.iter().filter(|one| one.fate == Completion::Ok);
    ok.flat_map(|one| &one.accesses).all(|access| match access {
        Access::List(of, list) if *of == key => order.starts_with(list),
        Access::Read(of, Some(value)) if *of == key => order.contains(value),
        _ => true,
    })
}

/// A history with orders of its versions.
pub(super) struct Given<'s> {
    pub spec: &'s Spec,
    pub versions: BTreeMap<u32, Vec<u32>>,
    pub happened: Vec<bool>,
}

impl Given<'_> {
    pub fn count(&self) -> usize {
        self.spec.0.len()
    }

    pub fn writer(&self, key: u32, value: u32) -> usize {
        let wrote = |one: &Transaction| {
            one.accesses.iter().any(|access| access.written() == Some((key, value)))
        };
        self.spec.0.iter().position(wrote).expect("a value that was written")
    }

    /// What each answered read found, as the beginning of the key's versions: the transaction, the place of
    /// the access, the key, the length.
    pub fn reads(&self) -> Vec<(usize, usize, u32, usize)> {
        let mut reads = Vec::new();
        for (at, one) in self.spec.0.iter().enumerate() {
            for (place, access) in one.accesses.iter().enumerate() {
                let length = match access {
                    Access::List(_, list) => list.len(),
                    Access::Read(key, value) => value.map_or(0, |value| {
                        let of_key = self.versions[key].iter();
                        1 + of_key.take_while(|other| **other != value).count()
                    }),
                    _ => continue,
                };
                if one.fate == Completion::Ok {
                    reads.push((at, place, access.key(), length));
                }
            }
        }
        reads
    }

    pub fn relation(&self) -> Relation {
        vec![vec![false; self.count()]; self.count()]
    }

    pub fn ww(&self) -> Relation {
        let mut ww = self.relation();
        for (key, order) in &self.versions {
            for (at, value) in order.iter().enumerate() {
                for later in &order[at + 1..] {
                    self.relate(&mut ww, self.writer(*key, *value), self.writer(*key, *later));
                }
            }
        }
        ww
    }

    pub fn relate(&self, relation: &mut Relation, one: usize, other: usize) {
        if one != other && self.happened[one] && self.happened[other] {
            relation[one][other] = true;
        }
    }

    pub fn wr(&self) -> Relation {
        let mut wr = self.relation();
        for (reader, place, key, length) in self.reads() {
            for writer in self.sources(reader, place, key, length) {
                self.relate(&mut wr, writer, reader);
            }
        }
        wr
    }

    /// Whose values a read shows: of a list all, of a register the last.
    fn sources(&self, reader: usize, place: usize, key: u32, length: usize) -> Vec<usize> {
        let seen = &self.versions[&key][..length];
        let is_list = matches!(self.spec.0[reader].accesses[place], Access::List(..));
        let seen = if is_list { seen } else { &seen[length.saturating_sub(1)..] };
        seen.iter().map(|value| self.writer(key, *value)).collect()
    }

    pub fn rw(&self) -> Relation {
        let mut rw = self.relation();
        for (reader, _, key, length) in self.reads() {
            for value in &self.versions[&key][length..] {
                self.relate(&mut rw, reader, self.writer(key, *value));
            }
        }
        rw
    }

    pub fn session(&self) -> Relation {
        let mut session = self.relation();
        for (one, first) in self.spec.0.iter().enumerate() {
            for (other, second) in self.spec.0.iter().enumerate() {
                if first.session == second.session && first.ends < second.begins {
                    self.relate(&mut session, one, other);
                }
            }
        }
        session
    }

    /// No read of what did not happen, of what was replaced at once, of one's own future, and none that
    /// does not see what the transaction itself had written.
    pub fn reads_are_committed(&self) -> bool {
        self.reads().into_iter().all(|(reader, place, key, length)| {
            let accesses = &self.spec.0[reader].accesses;
            let seen = &self.versions[&key][..length];
            let is_list = matches!(accesses[place], Access::List(..));
            let own = |range: &[Access]| -> Vec<u32> {
                let written = range.iter().filter_map(Access::written);
                written.filter(|(of, _)| *of == key).map(|(_, value)| value).collect()
            };
            let (before, after) = (own(&accesses[..place]), own(&accesses[place..]));
            let sees_own = match is_list {
                // In the order in which it wrote them.
                true => {
                    let own: Vec<&u32> = seen.iter().filter(|one| before.contains(one)).collect();
                    own == before.iter().collect::<Vec<_>>()
                }
                false => before.last().is_none_or(|value| seen.last() == Some(value)),
            };
            let sees_future = match is_list {
                true => after.iter().any(|value| seen.contains(value)),
                false => seen.last().is_some_and(|value| after.contains(value)),
            };
            let shown = if is_list { seen } else { &seen[length.saturating_sub(1)..] };
            let all_happened = shown
                .iter()
                .all(|value| self.spec.0[self.writer(key, *value)].fate != Completion::Fail);
            let last = seen.iter().rev().find(|value| self.writer(key, **value) != reader);
            let is_final = is_list && last.is_none_or(|value| self.is_final(key, *value))
                || !is_list
                    && seen.last().is_none_or(|value| {
                        self.writer(key, *value) == reader || self.is_final(key, *value)
                    });
            let in_order = !is_list
                || self.spec.0.iter().all(|one| {
                    let written: Vec<u32> =
                        one.accesses.iter().filter_map(Access::written).map(|(_, v)| v).collect();
                    let places = seen.iter().filter_map(|v| written.iter().position(|w| w == v));
                    places.collect::<Vec<_>>().is_sorted()
                });
            sees_own && !sees_future && all_happened && is_final && in_order
        })
    }

    pub fn is_final(&self, key: u32, value: u32) -> bool {
        let accesses = &self.spec.0[self.writer(key, value)].accesses;
        let mut written = accesses.iter().rev().filter_map(Access::written);
        written.find(|(of, _)| *of == key) == Some((key, value))
    }

    /// Whether a transaction finds a key as it was before another one, of which it knows, wrote to it.
    fn misses(&self, reader: usize, from_place: usize, other: usize) -> bool {
        self.reads().into_iter().any(|(of, place, key, length)| {
            let unseen = &self.versions[&key][length..];
            of == reader
                && place >= from_place
                && unseen.iter().any(|value| self.writer(key, *value) == other)
        })
    }

    pub fn levels(&self) -> Vec<Rung> {
        let (ww, wr, rw, so) = (self.ww(), self.wr(), self.rw(), self.session());
        let information = or(&ww, &wr);
        let mut held = Vec::new();
        if is_acyclic(&ww) {
            held.push(Rung::ReadUncommitted);
        }
        if !is_acyclic(&information) || !self.reads_are_committed() {
            return held;
        }
        held.push(Rung::ReadCommitted);
        if is_acyclic(&or(&information, &rw)) {
            held.push(Rung::RepeatableRead);
        }
        let is_update = |one: usize| self.spec.0[one].accesses.iter().any(|a| !a.is_read());
        let with_one_reader = (0..self.count()).all(|reader| {
            let all = or(&information, &rw);
            let part = |one: usize| one == reader || is_update(one);
            let kept = |(at, row): (usize, &Vec<bool>)| {
                let kept = |(to, is): (usize, &bool)| *is && part(at) && part(to);
                row.iter().enumerate().map(kept).collect()
            };
            is_acyclic(&all.iter().enumerate().map(kept).collect())
        });
        if with_one_reader {
            held.push(Rung::UpdateSerializable);
        }
        if !is_acyclic(&or(&information, &so)) {
            return held;
        }
        let reads = self.reads();
        let knows_earlier = |reader: usize, other: usize| {
            let mut of = reads.iter().filter(|(one, ..)| *one == reader);
            of.any(|(_, place, key, length)| {
                self.sources(reader, *place, *key, *length).contains(&other)
                    && self.misses(reader, place + 1, other)
            })
        };
        let misses = |knows: &Relation| {
            self.pairs().any(|(one, other)| knows[one][other] && self.misses(other, 0, one))
        };
        if !self.pairs().any(|(one, other)| self.happened[one] && knows_earlier(other, one)) {
            held.push(Rung::MonotonicAtomicView);
        }
        if !misses(&or(&wr, &so)) {
            held.push(Rung::ReadAtomic);
        }
        if !misses(&closed(&or(&wr, &so))) {
            held.push(Rung::Causal);
        }
        if !misses(&closed(&or(&information, &so))) {
            held.push(Rung::ParallelSnapshotIsolation);
        }
        held
    }

    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.count();
        (0..count)
            .flat_map(move |one| (0..count).map(move |other| (one, other)))
            .filter(|(one, other)| one != other)
    }
}

pub(super) fn or(one: &Relation, other: &Relation) -> Relation {
    let row = |(a, b): (&Vec<bool>, &Vec<bool>)| a.iter().zip(b).map(|(a, b)| *a || *b).collect();
    one.iter().zip(other).map(row).collect()
}

fn closed(relation: &Relation) -> Relation {
    let mut closed = relation.clone();
    for middle in 0..closed.len() {
        for from in 0..closed.len() {
            for to in 0..closed.len() {
                closed[from][to] |= closed[from][middle] && closed[middle][to];
            }
        }
    }
    closed
}

pub(super) fn is_acyclic(relation: &Relation) -> bool {
    let closed = closed(relation);
    (0..closed.len()).all(|one| !closed[one][one])
}
