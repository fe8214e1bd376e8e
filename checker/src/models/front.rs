//! The configurations that a search keeps.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::linearizable::mask::Mask;

/// One way in which the history so far can have happened.
#[derive(Clone, Debug)]
pub(super) struct Configuration<S, K> {
    pub state: S,
    /// Open operations, by slot, that have taken effect.
    pub writes: K,
    /// Open reads, by slot, that have found their answer.
    pub reads: K,
    pub crashed: Crashed,
    /// Where its path ends, see [`Paths`](super::path::Paths), if paths are recorded.
    pub path: usize,
}

/// Operations without a known outcome that took effect: how many of each class, with zeros left
/// out at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Crashed {
    counts: Vec<u32>,
    pub total: u32,
}

impl Crashed {
    pub fn of(&self, class: usize) -> u32 {
        self.counts.get(class).copied().unwrap_or(0)
    }

    pub fn with(&self, class: usize) -> Crashed {
        let mut more = self.clone();
        if more.counts.len() <= class {
            more.counts.resize(class + 1, 0);
        }
        more.counts[class] += 1;
        more.total += 1;
        more
    }

    fn within(&self, other: &Crashed) -> bool {
        self.total <= other.total
            && self.counts.len() <= other.counts.len()
            && self.counts.iter().zip(&other.counts).all(|(few, many)| few <= many)
    }

    fn heap_bytes(&self) -> usize {
        size_of_val(&self.counts[..])
    }
}

impl<S: Eq, K: Mask> Configuration<S, K> {
    /// Whether one of the two can make the other one superfluous.
    fn is_alike(&self, other: &Self) -> bool {
        self.writes == other.writes && self.state == other.state
    }

    /// Of two that are alike: whether it makes the other one superfluous, because it has found the
    /// same answers at least, and used no crashed operation that the other has not.
    fn covers(&self, other: &Self) -> bool {
        other.reads.is_within(self.reads) && self.crashed.within(&other.crashed)
    }
}

/// So many are looked through one by one.
const FEW: usize = 16;

/// Configurations of which none makes another one superfluous.
pub(super) struct Front<S, K> {
    /// `None` where another one made it superfluous.
    all: Vec<Option<Configuration<S, K>>>,
    /// Positions of those that are alike, if there are more than a few.
    alike: FxHashMap<(S, K), Vec<u32>>,
    /// Comparisons of two configurations so far.
    pub comparisons: u64,
    /// What the configurations take, about.
    pub bytes: usize,
}

impl<S, K> Default for Front<S, K> {
    fn default() -> Self {
        Front { all: Vec::new(), alike: FxHashMap::default(), comparisons: 0, bytes: 0 }
    }
}

impl<S: Clone + Eq + Hash, K: Mask> Front<S, K> {
    /// Takes a configuration in, unless another one makes it superfluous: then false.
    pub fn insert(&mut self, new: &Configuration<S, K>, heap_bytes: impl Fn(&S) -> usize) -> bool {
        self.comparisons += 1;
        if self.all.len() < FEW {
            let is_alike = |old: &Option<Configuration<S, K>>| {
                old.as_ref().is_some_and(|old| old.is_alike(new))
            };
            for at in 0..self.all.len() {
                if is_alike(&self.all[at]) && !self.compare(at, new) {
                    return false;
                }
            }
        } else {
            if self.alike.is_empty() {
                self.find_alike();
            }
            let mut alike = self.alike.remove(&(new.state.clone(), new.writes)).unwrap_or_default();
            let is_new = alike.iter().all(|at| self.compare(*at as usize, new));
            alike.retain(|at| self.all[*at as usize].is_some());
            if is_new {
                alike.push(self.all.len() as u32);
            }
            self.alike.insert((new.state.clone(), new.writes), alike);
            if !is_new {
                return false;
            }
        }
        self.bytes +=
            size_of::<Configuration<S, K>>() + heap_bytes(&new.state) + new.crashed.heap_bytes();
        self.all.push(Some(new.clone()));
        true
    }

    /// Removes the one at a position if the new one makes it superfluous; false if it is the other
    /// way round.
    fn compare(&mut self, at: usize, new: &Configuration<S, K>) -> bool {
        self.comparisons += 1;
        let Some(old) = &self.all[at] else { return true };
        if old.covers(new) {
            return false;
        }
        if new.covers(old) {
            self.all[at] = None;
        }
        true
    }

    fn find_alike(&mut self) {
        for (at, configuration) in (0_u32..).zip(&self.all) {
            if let Some(Configuration { state, writes, .. }) = configuration {
                self.alike.entry((state.clone(), *writes)).or_default().push(at);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes all out.
    pub fn drain(&mut self) -> impl Iterator<Item = Configuration<S, K>> {
        self.bytes = 0;
        if !self.alike.is_empty() {
            self.alike = FxHashMap::default();
        }
        self.all.drain(..).flatten()
    }
}
