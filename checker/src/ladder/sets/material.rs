//! From a history of sets to what its sessions did.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{Completion, Datum, History, KeyId, Operation};
use crate::ladder::sessions::{Access, INITIAL, Kind, Sessions};

/// One answer: which adds it shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub session: u32,
    pub key: u32,
    /// Its nodes, one for each element that it shows, or a single one that shows nothing.
    pub first: u32,
    pub last: u32,
}

/// What sessions did with sets, the key of each being the set. An element is known by the add of it.
pub(super) struct Sets<'h> {
    pub sessions: Sessions,
    /// By the numbers of [`Access::operation`].
    pub operations: Vec<&'h Operation>,
    /// Ascending by node.
    pub snapshots: Vec<Snapshot>,
    /// An answer that shows what nothing can have added, and the element.
    pub thin_air: Option<(&'h Operation, &'h Datum)>,
    /// Why what is found valid is not certain.
    pub doubt: Option<String>,
}

impl<'h> Sets<'h> {
    /// What failed did not happen, and what may have happened did if an answer shows it.
    pub fn of(history: &'h History) -> Sets<'h> {
        let mut adds: FxHashMap<(KeyId, &Datum), usize> = FxHashMap::default();
        let (mut doubt, mut thin_air) = (None, None);
        for (at, add) in history.operations().iter().enumerate() {
            let is_possible = add.f() == "add" && add.completion() != Completion::Fail;
            if is_possible && adds.insert((add.key, add.argument()), at).is_some() {
                doubt = Some(format!(
                    "it is not known which add of {} was seen: there are several",
                    add.argument()
                ));
            }
        }
        let mut shown: FxHashSet<usize> = FxHashSet::default();
        let mut elements: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (at, read) in history.operations().iter().enumerate() {
            if read.f() != "read" || !read.is_ok() {
                continue;
            }
            let mut of_it = Vec::new();
            for element in read.result().as_array().unwrap_or_default() {
                match adds.get(&(read.key, element)) {
                    Some(add) => of_it.push(*add),
                    None => thin_air = thin_air.or(Some((read, element))),
                }
            }
            of_it.sort_unstable();
            of_it.dedup();
            shown.extend(&of_it);
            elements.insert(at, of_it);
        }
        let happened: Vec<usize> = (0..history.operations().len())
            .filter(|at| {
                let operation = &history.operations()[*at];
                match operation.f() {
                    "read" => operation.is_ok(),
                    _ => operation.is_ok() || shown.contains(at),
                }
            })
            .collect();
        let number: FxHashMap<usize, u32> = happened.iter().copied().zip(0..).collect();
        let mut sessions = FxHashMap::default();
        let mut accesses = Vec::new();
        for at in &happened {
            let operation = &history.operations()[*at];
            let next = sessions.len() as u32;
            let session = *sessions.entry(operation.process).or_insert(next);
            let access =
                |kind| Access { session, key: operation.key.0, operation: number[at], kind };
            match elements.get(at) {
                None => accesses.push(access(Kind::Write { tentative: !operation.is_ok() })),
                Some(none) if none.is_empty() => {
                    accesses.push(access(Kind::Read { from: INITIAL }));
                }
                Some(some) => {
                    accesses
                        .extend(some.iter().map(|add| access(Kind::Read { from: number[add] })));
                }
            }
        }
        let operations = happened.iter().map(|at| &history.operations()[*at]).collect();
        let sessions = Sessions::new(accesses);
        Sets { snapshots: snapshots(&sessions), sessions, operations, thin_air, doubt }
    }

    /// The adds that an answer shows.
    pub fn shown(&self, snapshot: &Snapshot) -> impl Iterator<Item = u32> + '_ {
        let sources = (snapshot.first..=snapshot.last).map(|node| self.sessions[node].source);
        sources.filter(|source| *source != INITIAL)
    }
}

/// The nodes of reads, those of one operation together.
pub(super) fn snapshots(sessions: &Sessions) -> Vec<Snapshot> {
    let mut found: Vec<Snapshot> = Vec::new();
    for node in (0..sessions.len() as u32).filter(|node| !sessions.is_write(*node)) {
        match found.last_mut() {
            Some(last) if sessions[last.first].operation == sessions[node].operation => {
                last.last = node;
            }
            _ => found.push(Snapshot {
                session: sessions[node].session,
                key: sessions[node].key,
                first: node,
                last: node,
            }),
        }
    }
    found
}
