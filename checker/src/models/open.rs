//! The operations that are open at one moment of a search.

use super::front::Mask;

/// The open operations at one moment.
#[derive(Default)]
pub(super) struct Open {
    pub reads: Vec<(usize, Mask)>,
    /// By deadline, the earliest first.
    pub writes: Vec<(usize, Mask)>,
    /// How many crashed operations of each class there are.
    pub crashed: Vec<u32>,
    taken: Mask,
}

impl Open {
    /// Gives the operation a slot; false if none is free.
    pub fn insert(&mut self, op: usize, is_read: bool, deadline: impl Fn(usize) -> u64) -> bool {
        let slot = self.taken.trailing_ones();
        if slot == Mask::BITS {
            return false;
        }
        let bit = 1 << slot;
        self.taken |= bit;
        if is_read {
            self.reads.push((op, bit));
        } else {
            let at = self.writes.partition_point(|(other, _)| deadline(*other) <= deadline(op));
            self.writes.insert(at, (op, bit));
        }
        true
    }

    pub fn bit(&self, op: usize) -> Mask {
        let mut all = self.reads.iter().chain(&self.writes);
        all.find(|(other, _)| *other == op).map_or(0, |(_, bit)| *bit)
    }

    pub fn remove(&mut self, op: usize) {
        self.taken &= !self.bit(op);
        self.reads.retain(|(other, _)| *other != op);
        self.writes.retain(|(other, _)| *other != op);
    }
}
