//! The positions of a history that matter, numbered in their order.

use std::ops::Range;

/// Positions in ascending order, each once.
pub(super) struct Moments(Vec<u64>);

impl Moments {
    pub fn new(positions: impl Iterator<Item = u64>) -> Moments {
        let mut positions: Vec<u64> = positions.collect();
        positions.sort_unstable();
        positions.dedup();
        Moments(positions)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of the first one that is not before a position.
    pub fn at(&self, position: u64) -> usize {
        self.0.partition_point(|other| *other < position)
    }

    /// Those from one position to another, both included.
    pub fn within(&self, from: u64, to: u64) -> Range<usize> {
        self.at(from)..self.0.partition_point(|other| *other <= to)
    }

    /// Those after one position and before another.
    pub fn between(&self, from: u64, to: u64) -> Range<usize> {
        let start = self.0.partition_point(|other| *other <= from);
        start..self.at(to).max(start)
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().copied()
    }
}
