//! Operations of unknown outcome. Those with the same call are interchangeable, so each
//! configuration only counts how many of them it has used.
//!
//! The count is written in unary into bits of the configuration, above what all configurations
//! have used in common: a subset of bits is then a smaller count for every call, and the number
//! of bits is bounded by how far the configurations differ.

use super::super::{Call, ValueId};
use super::mask::Mask;
use super::open::{Free, Full};

/// All crashed operations with one call.
#[derive(Clone)]
pub(super) struct Crashed {
    pub(super) call: Call,
    /// The value they install.
    pub(super) installs: ValueId,
    invoked: usize,
    /// How many every configuration has used.
    base: usize,
    /// The bits of the count above `base`, lowest first.
    slots: Vec<usize>,
}

impl Crashed {
    pub(super) fn new(call: Call, installs: ValueId) -> Self {
        Crashed { call, installs, invoked: 0, base: 0, slots: Vec::new() }
    }

    pub(super) fn invoke(&mut self) {
        self.invoked += 1;
    }

    /// Whether a configuration with these bits has one left.
    pub(super) fn left<M: Mask>(&self, used: M) -> bool {
        let unused = self.slots.iter().any(|&slot| !used.has(slot));
        unused || self.base + self.slots.len() < self.invoked
    }

    /// The bit that says that one more is used; there must be one left.
    pub(super) fn next<M: Mask>(&mut self, used: M, free: &mut Free<M>) -> Result<usize, Full> {
        if let Some(&slot) = self.slots.iter().find(|&&slot| !used.has(slot)) {
            return Ok(slot);
        }
        debug_assert!(self.base + self.slots.len() < self.invoked);
        let slot = free.take()?;
        self.slots.push(slot);
        Ok(slot)
    }

    /// Gives back the bits that are set in all configurations, which the caller must then clear,
    /// and those that are set in none. Returns the former.
    pub(super) fn tidy<M: Mask>(&mut self, in_all: M, in_any: M, free: &mut Free<M>) -> M {
        let common = self.slots.iter().take_while(|&&slot| in_all.has(slot)).count();
        self.base += common;
        let mut cleared = M::EMPTY;
        for slot in self.slots.drain(..common) {
            cleared = cleared.or(M::bit(slot));
            free.release(slot);
        }
        while let Some(slot) = self.slots.pop_if(|slot| !in_any.has(*slot)) {
            free.release(slot);
        }
        cleared
    }

    /// Gives back all bits, for the caller to clear.
    pub(super) fn retire<M: Mask>(&self, free: &mut Free<M>) -> M {
        let mut cleared = M::EMPTY;
        for &slot in &self.slots {
            cleared = cleared.or(M::bit(slot));
            free.release(slot);
        }
        cleared
    }

    /// The bits of the count.
    pub(super) fn bits<M: Mask>(&self) -> M {
        self.slots.iter().fold(M::EMPTY, |bits, &slot| bits.or(M::bit(slot)))
    }
}
