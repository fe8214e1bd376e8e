//! Sets of slots (places of open operations) in one machine word, two, or as many as it takes.

use std::fmt::Debug;
use std::hash::Hash;

/// A set of small numbers below `CAPACITY`.
pub(crate) trait Mask: Copy + Eq + Hash + Debug {
    const CAPACITY: usize;
    const EMPTY: Self;
    const FULL: Self;

    fn bit(slot: usize) -> Self;
    fn or(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    /// The members that are not in `other`.
    fn without(self, other: Self) -> Self;
    fn is_empty(self) -> bool;
    fn len(self) -> u32;
    /// The least member; `CAPACITY` if there is none.
    fn first(self) -> usize;

    fn has(self, slot: usize) -> bool {
        !self.and(Self::bit(slot)).is_empty()
    }

    fn is_within(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    fn insert(&mut self, slot: usize) {
        *self = self.or(Self::bit(slot));
    }

    fn remove(&mut self, slot: usize) {
        *self = self.without(Self::bit(slot));
    }

    fn iter(self) -> Members<Self> {
        Members(self)
    }
}

/// The members of a set, ascending.
pub(crate) struct Members<M>(M);

impl<M: Mask> Iterator for Members<M> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.0.first();
        self.0.remove(first);
        Some(first)
    }
}

macro_rules! word {
    ($word:ty) => {
        impl Mask for $word {
            const CAPACITY: usize = <$word>::BITS as usize;
            const EMPTY: Self = 0;
            const FULL: Self = <$word>::MAX;

            fn bit(slot: usize) -> Self {
                1 << slot
            }
            fn or(self, other: Self) -> Self {
                self | other
            }
            fn and(self, other: Self) -> Self {
                self & other
            }
            fn without(self, other: Self) -> Self {
                self & !other
            }
            fn is_empty(self) -> bool {
                self == 0
            }
            fn len(self) -> u32 {
                self.count_ones()
            }
            fn first(self) -> usize {
                self.trailing_zeros() as usize
            }
        }
    };
}

#[cfg(test)]
word!(u8);
word!(u64);
word!(u128);

/// A set in `N` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Words<const N: usize>([u64; N]);

impl<const N: usize> Mask for Words<N> {
    const CAPACITY: usize = 64 * N;
    const EMPTY: Self = Words([0; N]);
    const FULL: Self = Words([u64::MAX; N]);

    fn bit(slot: usize) -> Self {
        let mut words = [0; N];
        words[slot / 64] = 1 << (slot % 64);
        Words(words)
    }
    fn or(self, other: Self) -> Self {
        Words(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }
    fn and(self, other: Self) -> Self {
        Words(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }
    fn without(self, other: Self) -> Self {
        Words(std::array::from_fn(|at| self.0[at] & !other.0[at]))
    }
    fn is_empty(self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }
    fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
    fn first(self) -> usize {
        let at = self.0.iter().position(|&word| word != 0).unwrap_or(N);
        64 * at + self.0.get(at).map_or(0, |word| word.trailing_zeros() as usize)
    }
    fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }
    fn remove(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }
    fn has(self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }
    fn is_within(self, other: Self) -> bool {
        (0..N).all(|at| self.0[at] & !other.0[at] == 0)
    }
}
