//! What took effect, one after another, in the configurations of a search.

/// An operation that takes effect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// This one.
    Of(usize),
    /// Any of the crashed ones of this class.
    OfCrashed(usize),
}

/// Paths that share their beginnings: a node for each effect, which knows the one before.
#[derive(Default)]
pub(super) struct Paths(Vec<(usize, Effect)>);

/// The path on which nothing has taken effect.
pub(super) const START: usize = usize::MAX;

impl Paths {
    /// A path and one effect more.
    pub fn extend(&mut self, path: usize, effect: Effect) -> usize {
        self.0.push((path, effect));
        self.0.len() - 1
    }

    /// All effects of a path, in order.
    pub fn effects(&self, path: usize) -> Vec<Effect> {
        let nodes = std::iter::successors(self.0.get(path), |(before, _)| self.0.get(*before));
        let mut effects: Vec<Effect> = nodes.map(|(_, effect)| *effect).collect();
        effects.reverse();
        effects
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.0[..])
    }
}
