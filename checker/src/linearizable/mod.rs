//! Linearizability (Herlihy and Wing 1990) of one register with reads, writes and compare-and-set.
//!
//! The cheapest exact procedure that fits is chosen by [`procedure`]: zones where every observed
//! value has one possible writer, a search over the open operations otherwise. A violation comes
//! with a minimal sub-history that proves it (see [`weakened`] for what "minimal" means).
//!
//! ```
//! use splitbrain_checker::linearizable::*;
//! let op = |call, invoked, returned| RegisterOp { call, invoked, returned: Some(returned) };
//! let (unset, one) = (ValueId(0), ValueId(1));
//! let history = [op(Call::Write(one), 0, 1), op(Call::Read(unset), 2, 3)];
//! let outcome = check_register(unset, &history, &Budget::default());
//! assert_eq!(outcome, Outcome::NotLinearizable { witness: vec![0, 1] });
//! ```

mod prepare;
mod search;
#[cfg(test)]
mod tests;
mod weaken;
mod witness;
mod zones;

use std::fmt;

pub use weaken::weakened;

pub(crate) use search::{live, mask};

use prepare::Survey;
use witness::Seed;

/// A value of the register, interned by the caller; dense ids make the check faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

impl ValueId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an operation asked for and, for a read, what it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Returned this value.
    Read(ValueId),
    /// Sets the register to this value.
    Write(ValueId),
    /// Found the first value and replaced it by the second in one step.
    Cas(ValueId, ValueId),
}

impl Call {
    /// The value that the register must hold when the call takes effect.
    fn expects(self) -> Option<ValueId> {
        match self {
            Call::Read(value) | Call::Cas(value, _) => Some(value),
            Call::Write(_) => None,
        }
    }

    /// The value that the call puts in; a compare-and-set of a value by itself puts in nothing.
    fn installs(self) -> Option<ValueId> {
        match self {
            Call::Write(value) => Some(value),
            Call::Cas(from, to) if from != to => Some(to),
            Call::Read(_) | Call::Cas(..) => None,
        }
    }
}

/// One operation on the register with the positions of its events in the history.
///
/// The interval is closed: operations that share a position are concurrent. Failed operations and
/// reads without an answer do not belong here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterOp {
    /// What was called.
    pub call: Call,
    /// Position of the invocation.
    pub invoked: u64,
    /// Position of the completion, not before `invoked`; `None` if the outcome is unknown: the
    /// operation may take effect at any time after its invocation, or never.
    pub returned: Option<u64>,
}

impl RegisterOp {
    /// The last position at which the operation may take effect.
    fn deadline(&self) -> u64 {
        self.returned.unwrap_or(u64::MAX)
    }
}

/// How much work and memory a check may use. Zones never need as much; the search may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Comparisons of two configurations of the search; some nanoseconds each while at most 64
    /// operations are open at once.
    pub comparisons: u64,
    /// Bytes of configurations held at one time.
    pub memory_bytes: usize,
}

impl Default for Budget {
    /// Some ten seconds on one core, and 1 GiB.
    fn default() -> Self {
        Budget { comparisons: 4_000_000_000, memory_bytes: 1 << 30 }
    }
}

/// The answer about one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Some order of the operations explains every answer.
    Linearizable,
    /// No order explains every answer.
    NotLinearizable {
        /// Ascending indices of a sub-history that no order explains either, even as
        /// [`weakened`], while each of its sub-histories with one operation less can be
        /// explained (unless the budget ended before the last operation was tried).
        witness: Vec<usize>,
    },
    /// The budget ended first.
    #[non_exhaustive]
    Exhausted {
        /// Configurations looked at.
        explored: u64,
        /// Operations whose completion was passed, out of those with a completion.
        passed: usize,
        /// The limit that was reached.
        limit: Limit,
    },
}

/// A limit that ended a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Budget::comparisons`].
    Comparisons,
    /// [`Budget::memory_bytes`].
    Memory,
    /// More operations open at once than the widest configuration can hold (16,384).
    OpenOperations,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Comparisons => "comparisons",
            Limit::Memory => "memory",
            Limit::OpenOperations => "operations open at once",
        })
    }
}

/// How a history is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// Every observed value has one possible writer and nothing but reads and writes matters:
    /// zones (Gibbons and Korach 1997), O(n log n).
    Zones,
    /// The same with compare-and-set: values linked by it form blocks, and zones are those of
    /// blocks, O(n log n).
    ChainedZones,
    /// A value has several possible writers: search just in time (Lowe 2017), exponential only in
    /// the operations open at once.
    Search(Ambiguity),
}

/// Why zones do not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// Two operations that someone may have observed install this value.
    InstalledTwice(ValueId),
    /// An operation that someone may have observed installs the initial value.
    InitialInstalled(ValueId),
}

impl fmt::Display for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Procedure::Zones => f.write_str("zones: every observed value was written once"),
            Procedure::ChainedZones => {
                f.write_str("zones of chains: every observed value was written or swapped in once")
            }
            Procedure::Search(Ambiguity::InstalledTwice(value)) => {
                write!(f, "search: value #{} has more than one possible writer", value.0)
            }
            Procedure::Search(Ambiguity::InitialInstalled(value)) => {
                write!(f, "search: the initial value #{} was written again", value.0)
            }
        }
    }
}

/// What a check cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Configurations looked at by the search (0 for zones).
    pub explored: u64,
    /// Comparisons of two configurations, as counted by [`Budget::comparisons`].
    pub comparisons: u64,
    /// The most configurations that were kept from one completion to the next (0 for zones).
    pub peak_front: usize,
}

/// Decides whether `ops` on a register that holds `initial` are linearizable.
pub fn check_register(initial: ValueId, ops: &[RegisterOp], budget: &Budget) -> Outcome {
    check_register_measured(initial, ops, budget).0
}

/// [`check_register`], and what it cost up to the verdict (making the witness is not counted).
pub fn check_register_measured(
    initial: ValueId,
    ops: &[RegisterOp],
    budget: &Budget,
) -> (Outcome, Effort) {
    let (decision, effort) = match prepare::renumbered(initial, ops) {
        Some((initial, ops)) => decide(initial, &ops, budget),
        None => decide(initial, ops, budget),
    };
    let outcome = match decision {
        Decision::Yes => Outcome::Linearizable,
        Decision::No(seed) => {
            Outcome::NotLinearizable { witness: witness::minimal(initial, ops, seed, budget) }
        }
        Decision::Unknown { passed, limit } => {
            Outcome::Exhausted { explored: effort.explored, passed, limit }
        }
    };
    (outcome, effort)
}

/// An order of the operations, by index, that explains every answer: each reads what the ones before
/// it leave, and one that completed before another was invoked comes first. Operations of unknown
/// outcome that it does not need are left out. `None` if there is none, or the budget ended first.
pub fn order(initial: ValueId, ops: &[RegisterOp], budget: &Budget) -> Option<Vec<usize>> {
    let order = |initial, ops: &[RegisterOp]| {
        let survey = Survey::new(initial, ops);
        match survey.procedure() {
            Procedure::Zones | Procedure::ChainedZones => zones::order(initial, ops, &survey),
            Procedure::Search(_) => live::order(initial, ops, &survey, budget),
        }
    };
    match prepare::renumbered(initial, ops) {
        Some((initial, ops)) => order(initial, &ops),
        None => order(initial, ops),
    }
}

/// Whether a polynomial procedure applies, and finds that the history is linearizable.
pub(crate) fn is_plainly_linearizable(initial: ValueId, ops: &[RegisterOp]) -> bool {
    let is = |initial, ops: &[RegisterOp]| {
        let survey = Survey::new(initial, ops);
        !matches!(survey.procedure(), Procedure::Search(_))
            && matches!(zones::decide(initial, ops, &survey), Decision::Yes)
    };
    match prepare::renumbered(initial, ops) {
        Some((initial, ops)) => is(initial, &ops),
        None => is(initial, ops),
    }
}

/// Which procedure [`check_register`] uses for this history.
pub fn procedure(initial: ValueId, ops: &[RegisterOp]) -> Procedure {
    match prepare::renumbered(initial, ops) {
        Some((initial, ops)) => Survey::new(initial, &ops).procedure(),
        None => Survey::new(initial, ops).procedure(),
    }
}

/// A verdict before its explanation.
#[derive(Debug)]
enum Decision {
    Yes,
    No(Seed),
    Unknown { passed: usize, limit: Limit },
}

/// Decides a history whose value ids are dense.
fn decide(initial: ValueId, ops: &[RegisterOp], budget: &Budget) -> (Decision, Effort) {
    let survey = Survey::new(initial, ops);
    match survey.procedure() {
        Procedure::Zones | Procedure::ChainedZones => {
            (zones::decide(initial, ops, &survey), Effort::default())
        }
        Procedure::Search(_) => search::decide(initial, ops, &survey, budget),
    }
}
