//! Numbers at places in a row, to spans of which one can add: a segment tree.

use std::ops::Range;

/// More than any sum of what is added.
const OUTSIDE: i64 = i64::MAX / 4;

/// A row of numbers, all 0 at first; every question and every change costs O(log n).
pub(super) struct Places {
    size: usize,
    /// By node (children of n are 2n and 2n+1): the least number below it, with what was added to
    /// it as a whole, and without what was added above.
    least: Vec<i64>,
    added: Vec<i64>,
}

impl Places {
    pub fn new(count: usize) -> Places {
        let size = count.next_power_of_two();
        let mut places = Places { size, least: vec![0; 2 * size], added: vec![0; 2 * size] };
        places.add(count..size, OUTSIDE);
        places
    }

    pub fn add(&mut self, span: Range<usize>, amount: i64) {
        self.add_below(1, 0..self.size, &span, amount);
    }

    fn add_below(&mut self, node: usize, covers: Range<usize>, span: &Range<usize>, amount: i64) {
        if span.end <= covers.start || covers.end <= span.start {
            return;
        }
        if span.start <= covers.start && covers.end <= span.end {
            self.least[node] += amount;
            self.added[node] += amount;
            return;
        }
        let middle = covers.start.midpoint(covers.end);
        self.add_below(2 * node, covers.start..middle, span, amount);
        self.add_below(2 * node + 1, middle..covers.end, span, amount);
        self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]) + self.added[node];
    }

    /// The first place from one on with a number of at most `bound`.
    pub fn first_at_most(&self, from: usize, bound: i64) -> Option<usize> {
        self.first_below(1, 0..self.size, from, bound)
    }

    fn first_below(
        &self,
        node: usize,
        covers: Range<usize>,
        from: usize,
        bound: i64,
    ) -> Option<usize> {
        if covers.end <= from || self.least[node] > bound {
            return None;
        }
        if covers.len() == 1 {
            return Some(covers.start);
        }
        let bound = bound - self.added[node];
        let middle = covers.start.midpoint(covers.end);
        self.first_below(2 * node, covers.start..middle, from, bound)
            .or_else(|| self.first_below(2 * node + 1, middle..covers.end, from, bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn is_a_row_of_numbers() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for count in 1..40 {
            let (mut places, mut row) = (Places::new(count), vec![0_i64; count]);
            for _ in 0..100 {
                let (one, other) = (rng.random_range(0..=count), rng.random_range(0..=count));
                let (span, amount) = (one.min(other)..one.max(other), rng.random_range(-3..4));
                places.add(span.clone(), amount);
                row[span].iter_mut().for_each(|number| *number += amount);
                let (from, bound) = (rng.random_range(0..=count), rng.random_range(-9..10));
                let first = (from..count).find(|at| row[*at] <= bound);
                assert_eq!(places.first_at_most(from, bound), first, "{row:?}");
            }
        }
    }
}
