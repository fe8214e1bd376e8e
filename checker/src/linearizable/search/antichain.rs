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
    /// already makes it redundant. Returns whether it was added, and adds to `comparisons`.
    pub(super) fn insert(&mut self, new: Configuration<M>, comparisons: &mut u64) -> bool {
        let rivals = &mut self.by_state[new.state.index()];
        *comparisons += 1 + rivals.len() as u64;
        if rivals.iter().any(|(owed, used)| owed.is_within(new.owed) && used.is_within(new.used)) {
            return false;
        }
        if rivals.is_empty() {
            self.states.push(new.state);
        }
        let before = rivals.len();
        rivals.retain(|(owed, used)| !(new.owed.is_within(*owed) && new.used.is_within(*used)));
        rivals.push((new.owed, new.used));
        self.len = self.len + rivals.len() - before;
        true
    }

    /// Whether the configuration is in the set or made redundant by one that is.
    pub(super) fn covers(&self, new: Configuration<M>, comparisons: &mut u64) -> bool {
        let rivals = &self.by_state[new.state.index()];
        *comparisons += 1 + rivals.len() as u64;
        rivals.iter().any(|(owed, used)| owed.is_within(new.owed) && used.is_within(new.used))
    }

    pub(super) fn contains(&self, c: &Configuration<M>) -> bool {
        self.by_state[c.state.index()].contains(&(c.owed, c.used))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Configuration<M>> + '_ {
        self.states.iter().flat_map(|&state| {
            let of_state = &self.by_state[state.index()];
            of_state.iter().map(move |&(owed, used)| Configuration { state, owed, used })
        })
    }
}
