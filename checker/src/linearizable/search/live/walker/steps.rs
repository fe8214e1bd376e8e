//! What one explanation can be continued by.

use super::super::super::super::{Call, Limit, ValueId};
use super::super::super::crashed::Crashed;
use super::super::super::mask::Mask;
use super::closure::Closure;
use super::{Bits, Configuration, Open, Use, Walker};

impl Walker {
    /// All useful steps from one configuration.
    pub(super) fn step(
        &mut self,
        closure: &mut Closure<'_>,
        c: Configuration,
    ) -> Result<(), Limit> {
        for slot in 0..self.open.len() {
            let Some(Open { op, call, completion }) = self.open[slot] else { continue };
            let Some(to) = call.installs().filter(|_| !c.used.has(slot)) else { continue };
            let is_behind = self.equals(call, c.used).any(|other| other.completion < completion);
            let is_swap = matches!(call, Call::Cas(from, _) if from == c.state);
            let is_write = matches!(call, Call::Write(_));
            if is_behind || !is_swap && !is_write {
                continue;
            }
            let own = Bits::bit(slot);
            if is_swap || slot == closure.slot || self.is_useful(c, to, is_write, own) {
                closure.take(c, Use::Op(op), to, own, self.met(to, is_write))?;
            }
        }
        for at in 0..self.crashed.len() {
            let Crashed { call, installs: to, .. } = self.crashed[at];
            let is_write = matches!(call, Call::Write(_));
            let applies = is_write || matches!(call, Call::Cas(from, _) if from == c.state);
            if applies
                && closure.wanted.binary_search(&to).is_ok()
                && self.equals(call, c.used).next().is_none()
                && self.crashed[at].left(c.used)
                && self.is_useful(c, to, is_write, 0)
            {
                let own = Bits::bit(self.crashed[at].next(c.used, &mut self.free)?);
                closure.take(c, Use::Crashed(call), to, own, self.met(to, is_write))?;
            }
        }
        Ok(())
    }

    /// The values that some operation can find, ascending.
    pub(super) fn wanted(&self) -> Vec<ValueId> {
        let open = self.open.iter().flatten().map(|open| open.call);
        let calls = open.chain(self.crashed.iter().map(|crashed| crashed.call));
        let mut wanted: Vec<ValueId> = calls.filter_map(Call::expects).collect();
        wanted.sort_unstable();
        wanted
    }

    /// Open operations with the same call that are not used yet.
    fn equals(&self, call: Call, used: Bits) -> impl Iterator<Item = Open> + '_ {
        let unused = self.open.iter().enumerate().filter(move |(slot, _)| !used.has(*slot));
        unused.filter_map(|(_, open)| *open).filter(move |open| open.call == call)
    }

    /// Whether the value meets an open read, or a compare-and-set can follow that starts from it.
    fn is_useful(&self, c: Configuration, to: ValueId, is_write: bool, own: Bits) -> bool {
        let open = || self.open.iter().enumerate().filter_map(|(slot, o)| Some((slot, (*o)?.call)));
        let mut owed = open().filter(|(slot, _)| c.owed.has(*slot));
        if owed.any(|(_, call)| call.installs().is_none() && is_met(call, to)) {
            return true;
        }
        let hides = is_write
            && open().any(|(slot, call)| {
                matches!(call, Call::Write(_)) && c.owed.without(own).has(slot)
            });
        let swaps = |call: Call| matches!(call, Call::Cas(from, next) if from == to && next != to);
        (to != c.state || hides)
            && (open().any(|(slot, call)| !c.used.has(slot) && swaps(call))
                || self.crashed.iter().any(|crashed| swaps(crashed.call) && crashed.left(c.used)))
    }

    /// What owes nothing more once `to` comes into the register.
    fn met(&self, to: ValueId, hides_writes: bool) -> Bits {
        let mut met = 0;
        for (slot, open) in self.open.iter().enumerate() {
            let hidden = |call| hides_writes && matches!(call, Call::Write(_));
            if open.is_some_and(|Open { call, .. }| is_met(call, to) || hidden(call)) {
                met.insert(slot);
            }
        }
        met
    }
}

/// Whether the call owes nothing more as soon as the register holds a value: a read of it, and a
/// write of it, which changes nothing then.
pub(super) fn is_met(call: Call, state: ValueId) -> bool {
    match call {
        Call::Read(value) | Call::Write(value) => value == state,
        Call::Cas(from, to) => from == state && from == to,
    }
}
