//! Which adds come before an answer.

use std::collections::VecDeque;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::material::{Sets, Snapshot};
use crate::ladder::facts::Answer;
use crate::ladder::kept::Kept;
use crate::ladder::order::{Edges, topological};
use crate::ladder::rungs::causal::Causal;
use crate::ladder::view::Conflict;

/// Nodes that all sessions together may visit for one rung, and steps that a sequential order may be asked to keep.
const VISITS: usize = 1 << 28;
const STEPS: usize = 1 << 24;

/// In which order the answers of one session are put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    InOrder,
    /// Those of one set by how much they show, which is the only order that a set that grows allows.
    BySize,
}

/// Whether for each session its reads and all adds have a legal order that keeps what `kept` says.
pub(super) fn each_session(sets: &Sets<'_>, kept: impl Kept, reads: Reads) -> Answer {
    let sessions = &sets.sessions;
    let count = sessions.sessions() as u32;
    let visits = VISITS / count.max(1) as usize;
    let is_causal = topological(sessions, Causal, 0, None).is_ok();
    let broken = (0..count).into_par_iter().map_init(
        || Walk::new(sets),
        |walk, reader| {
            if !is_causal && let Err(nodes) = topological(sessions, kept, reader, None) {
                return Some(Answer::Invalid(Conflict { nodes }));
            }
            walk.ask(kept, reader, reads, visits)
        },
    );
    broken.find_map_first(|answer| answer).unwrap_or(Answer::Valid)
}

/// Memory for one session after the other.
struct Walk<'a, 'h> {
    sets: &'a Sets<'h>,
    /// By node, the last session (and one more) that met it.
    met: Vec<u32>,
    /// By key, how many adds were met.
    adds: FxHashMap<u32, usize>,
}

impl<'a, 'h> Walk<'a, 'h> {
    fn new(sets: &'a Sets<'h>) -> Walk<'a, 'h> {
        Walk { sets, met: vec![0; sets.sessions.len()], adds: FxHashMap::default() }
    }

    fn ask(&mut self, kept: impl Kept, reader: u32, reads: Reads, visits: usize) -> Option<Answer> {
        let sessions = &self.sets.sessions;
        self.adds.clear();
        let all = &self.sets.snapshots;
        let from = all.partition_point(|one| one.session < reader);
        let mut own: Vec<Snapshot> =
            all[from..].iter().take_while(|one| one.session == reader).copied().collect();
        if reads == Reads::BySize {
            own.sort_by_key(|one| (one.key, self.sets.shown(one).count(), one.first));
        }
        let (mut open, mut visited) = (Vec::new(), 0);
        for (at, snapshot) in own.iter().enumerate() {
            open.extend(snapshot.first..=snapshot.last);
            while let Some(node) = open.pop() {
                if std::mem::replace(&mut self.met[node as usize], reader + 1) == reader + 1 {
                    continue;
                }
                visited += 1;
                if sessions.is_write(node) {
                    *self.adds.entry(sessions[node].key).or_default() += 1;
                }
                let met = &self.met;
                kept.before(sessions, reader, node, |before| {
                    if met[before as usize] != reader + 1 {
                        open.push(before);
                    }
                });
            }
            if visited > visits {
                return Some(Answer::Unknown(format!(
                    "budget: what {} sessions saw takes more than {VISITS} steps",
                    sessions.sessions()
                )));
            }
            // What it shows is among what comes before it.
            if self.adds.get(&snapshot.key).copied().unwrap_or(0)
                > self.sets.shown(snapshot).count()
            {
                let earlier = if reads == Reads::BySize { &own[..at] } else { &[] };
                let nodes = path(self.sets, kept, snapshot, earlier);
                return Some(Answer::Invalid(Conflict { nodes }));
            }
        }
        None
    }
}

/// A shortest way from an add that an answer does not show to the answer, or to one of `earlier` of the same set,
/// which shows less; then the answer comes last.
fn path(sets: &Sets<'_>, kept: impl Kept, of: &Snapshot, earlier: &[Snapshot]) -> Vec<u32> {
    let sessions = &sets.sessions;
    let shown: FxHashSet<u32> = sets.shown(of).collect();
    let mut next: FxHashMap<u32, Option<u32>> = FxHashMap::default();
    let mut open = VecDeque::new();
    for snapshot in [of].into_iter().chain(earlier.iter().filter(|one| one.key == of.key)) {
        for node in (snapshot.first..=snapshot.last).rev() {
            next.insert(node, (snapshot.first != of.first).then_some(of.last));
            open.push_back(node);
        }
    }
    next.entry(of.last).or_insert(None);
    while let Some(node) = open.pop_front() {
        if sessions.is_write(node) && sessions[node].key == of.key && !shown.contains(&node) {
            let way = std::iter::successors(Some(node), |node| next[node]);
            return way.collect();
        }
        kept.before(sessions, of.session, node, |before| {
            next.entry(before).or_insert_with(|| {
                open.push_back(before);
                Some(node)
            });
        });
    }
    Vec::new()
}

/// Whether one order of everything explains every answer and keeps each session's: an answer comes after what
/// it shows and before every other add. It is enough to ask that of each answer and the next larger ones.
pub(super) fn sequential(sets: &Sets<'_>) -> Answer {
    let sessions = &sets.sessions;
    let mut snapshots: Vec<(u32, Vec<u32>, u32)> = sets
        .snapshots
        .iter()
        .map(|one| {
            let mut shown: Vec<u32> = sets.shown(one).collect();
            shown.sort_unstable();
            (one.key, shown, one.last)
        })
        .collect();
    snapshots.sort_by(|one, other| (one.0, one.1.len(), one).cmp(&(other.0, other.1.len(), other)));
    let mut added: Vec<Vec<u32>> = vec![Vec::new(); sessions.keys];
    for node in (0..sessions.len() as u32).filter(|node| sessions.is_write(*node)) {
        added[sessions[node].key as usize].push(node);
    }
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let levels: Vec<&[(u32, Vec<u32>, u32)]> =
        snapshots.chunk_by(|one, other| (one.0, &one.1) == (other.0, &other.1)).collect();
    for (at, level) in levels.iter().enumerate() {
        let (key, shown, _) = &level[0];
        let mut comes_before = |adds: &mut dyn Iterator<Item = u32>| {
            for add in adds {
                edges.extend(level.iter().map(|(.., read)| (*read, add)));
            }
        };
        let is_hidden = |add: &u32| shown.binary_search(add).is_err();
        let of_key = |level: &&&[(u32, Vec<u32>, u32)]| level[0].0 == *key;
        let next =
            levels.get(at + 1).filter(of_key).map_or(&added[*key as usize], |next| &next[0].1);
        comes_before(&mut next.iter().copied().filter(is_hidden));
        if let Some(last) = at.checked_sub(1).and_then(|last| levels.get(last)).filter(of_key) {
            comes_before(&mut last[0].1.iter().copied().filter(is_hidden));
        }
        if edges.len() > STEPS {
            return Answer::Unknown(format!(
                "budget: one order has to keep more than {STEPS} steps"
            ));
        }
    }
    match topological(sessions, Causal, 0, Some(&Edges::new(sessions.len(), &edges))) {
        Ok(_) => Answer::Valid,
        Err(nodes) => Answer::Invalid(Conflict { nodes }),
    }
}
