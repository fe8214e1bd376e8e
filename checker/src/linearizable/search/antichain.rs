//! Configurations of which none makes another one redundant.

use super::super::ValueId;
use super::mask::Mask;

/// One explanation of the history so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration<M> {
    /// What the register holds.
    pub(super) state: ValueId,
    /// Open operations that must still take effect before they complete.
    pub(super) owed: M,
    /// Open writes and compare-and-sets that took effect where it could be seen, and counts of
    /// crashed ones.
    pub(super) used: M,
}

/// A set of configurations, minimal in `owed` and `used` among those with the same state.
pub(super) struct Antichain<M> {
    by_state: Vec<Vec<(M, M)>>,
    /// The states that have any.
    states: Vec<ValueId>,
    len: usize,
}

impl<M: Mask> Antichain<M> {
    pub(super) fn new(values: usize) -> Self {
        Antichain { by_state: vec![Vec::new(); values], states: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        for state in self.states.drain(..) {
            self.by_state[state.index()].clear();
        }
        self.len = 0;
    }

    /// Adds a configuration and removes those that it makes redundant, unless one that is there
    /// already makes it redundant. Adds to `comparisons`, as all methods do.
    pub(super) fn insert(&mut self, new: Configuration<M>, comparisons: &mut u64) {
        if self.push(new, comparisons) {
            let rivals = &mut self.by_state[new.state.index()];
            let before = rivals.len();
            *comparisons += before as u64;
            rivals.retain(|&(owed, used)| {
                !(new.owed.is_within(owed) && new.used.is_within(used))
                    || (owed, used) == (new.owed, new.used)
            });
            self.len = self.len + rivals.len() - before;
        }
    }

    /// Adds a configuration unless one that is there already makes it redundant, but keeps those
    /// that it makes redundant. Returns whether it was added.
    pub(super) fn push(&mut self, new: Configuration<M>, comparisons: &mut u64) -> bool {
        if self.covers(new, comparisons) {
            return false;
        }
        let rivals = &mut self.by_state[new.state.index()];
        if rivals.is_empty() {
            self.states.push(new.state);
        }
        rivals.push((new.owed, new.used));
        self.len += 1;
        true
    }

    /// Whether the configuration is in the set or made redundant by one that is.
    pub(super) fn covers(&mut self, new: Configuration<M>, comparisons: &mut u64) -> bool {
        let rivals = &mut self.by_state[new.state.index()];
        let covering = rivals
            .iter()
            .position(|(owed, used)| owed.is_within(new.owed) && used.is_within(new.used));
        *comparisons += 1 + covering.unwrap_or(rivals.len()) as u64;
        // What made one redundant will make more: it moves towards the front.
        if let Some(at) = covering {
            rivals.swap(at, at / 2);
        }
        covering.is_some()
    }

    /// Whether another member makes this one redundant.
    pub(super) fn is_redundant(&self, c: Configuration<M>, comparisons: &mut u64) -> bool {
        let rivals = &self.by_state[c.state.index()];
        *comparisons += rivals.len() as u64;
        rivals.iter().any(|&(owed, used)| {
            owed.is_within(c.owed) && used.is_within(c.used) && (owed, used) != (c.owed, c.used)
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Configuration<M>> + '_ {
        self.states.iter().flat_map(|&state| {
            let of_state = &self.by_state[state.index()];
            of_state.iter().map(move |&(owed, used)| Configuration { state, owed, used })
        })
    }
}
