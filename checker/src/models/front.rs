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

/// Configurations of which none makes another one superfluous: with the same state and effects, one
/// does that to another if it has found the same answers at least, and used no crashed operation
/// that the other has not.
pub(super) struct Front<S, K> {
    by_state: FxHashMap<(S, K), Vec<(K, Crashed)>>,
    /// Comparisons of two configurations so far.
    pub comparisons: u64,
    /// What the configurations take, about.
    pub bytes: usize,
}

impl<S, K> Default for Front<S, K> {
    fn default() -> Self {
        Front { by_state: FxHashMap::default(), comparisons: 0, bytes: 0 }
    }
}

impl<S: Clone + Eq + Hash, K: Mask> Front<S, K> {
    /// Takes a configuration in, unless another one makes it superfluous: then false.
    pub fn insert(&mut self, new: &Configuration<S, K>, heap_bytes: impl Fn(&S) -> usize) -> bool {
        let alike = self.by_state.entry((new.state.clone(), new.writes)).or_default();
        if alike.is_empty() {
            self.bytes += size_of::<((S, K), Vec<(K, Crashed)>)>() + heap_bytes(&new.state);
        }
        self.comparisons += 1 + alike.len() as u64;
        let covers = |(reads, crashed): &(K, Crashed)| {
            new.reads.is_within(*reads) && crashed.within(&new.crashed)
        };
        if alike.iter().any(covers) {
            return false;
        }
        alike.retain(|(reads, crashed)| {
            !(reads.is_within(new.reads) && new.crashed.within(crashed))
        });
        self.bytes += size_of::<(K, Crashed)>() + new.crashed.heap_bytes();
        alike.push((new.reads, new.crashed.clone()));
        true
    }

    pub fn is_empty(&self) -> bool {
        self.by_state.is_empty()
    }

    pub fn into_configurations(self) -> impl Iterator<Item = Configuration<S, K>> {
        self.by_state.into_iter().flat_map(|((state, writes), alike)| {
            alike.into_iter().map(move |(reads, crashed)| Configuration {
                state: state.clone(),
                writes,
                reads,
                crashed,
            })
        })
    }
}
