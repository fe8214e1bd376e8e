//! What can follow from some explanations before one operation completes.

use super::super::super::super::{Call, Limit, ValueId};
use super::super::super::mask::Mask;
use super::{Bits, Configuration, Node, Use};

/// What can follow from the front before one operation completes.
pub(super) struct Closure<'e> {
    pub op: u64,
    pub slot: usize,
    pub call: Call,
    /// No crashed operation that installs another value is of use.
    pub wanted: Vec<ValueId>,
    pub next: Vec<Configuration>,
    pub seen: Vec<Configuration>,
    pub tasks: Vec<Configuration>,
    pub paths: Option<Vec<Node>>,
    pub effort: &'e mut u64,
}

impl Closure<'_> {
    /// Lets one operation take effect.
    pub fn take(
        &mut self,
        c: Configuration,
        used: Use,
        to: ValueId,
        own: Bits,
        met: Bits,
    ) -> Result<(), Limit> {
        let owed = c.owed.without(own).without(met);
        let path = self.paths.as_mut().map_or(c.path, |paths| {
            paths.push(Node { before: c.path, used, completion: self.op });
            paths.len() - 1
        });
        let after = Configuration { state: to, owed, used: c.used.or(own), path };
        let met_read = self.call.installs().is_none() && !owed.has(self.slot);
        if own.has(self.slot) || met_read { self.survive(after) } else { self.add_task(after) }
    }

    pub fn survive(&mut self, mut c: Configuration) -> Result<(), Limit> {
        c.owed.remove(self.slot);
        c.used.remove(self.slot);
        insert(&mut self.next, c, self.effort).map(drop)
    }

    pub fn add_task(&mut self, c: Configuration) -> Result<(), Limit> {
        if insert(&mut self.seen, c, self.effort)? {
            self.tasks.push(c);
        }
        Ok(())
    }
}

/// Adds a configuration to some of which none makes another one redundant; false if one of them
/// makes it redundant.
fn insert(
    all: &mut Vec<Configuration>,
    new: Configuration,
    effort: &mut u64,
) -> Result<bool, Limit> {
    *effort = effort.checked_sub(1 + all.len() as u64).ok_or(Limit::Comparisons)?;
    let covers = |one: &Configuration, other: &Configuration| {
        one.state == other.state && one.owed.is_within(other.owed) && one.used.is_within(other.used)
    };
    if all.iter().any(|old| covers(old, &new)) {
        return Ok(false);
    }
    all.retain(|old| !covers(&new, old));
    all.push(new);
    Ok(true)
}
