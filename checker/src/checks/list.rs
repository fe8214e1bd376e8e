//! The list of checks, alphabetical.

use super::{
    Check, bank, causal_reverse, counter, long_fork, pn_counter, sequential, set, set_full,
    total_queue, unique_ids,
};

/// Every check there is.
pub(crate) const ALL: &[&dyn Check] = &[
    &bank::Bank,
    &causal_reverse::CausalReverse,
    &counter::Counter,
    &long_fork::LongFork,
    &pn_counter::PnCounter,
    &sequential::Sequential,
    &set::Set,
    &set_full::SetFull,
    &total_queue::TotalQueue,
    &unique_ids::UniqueIds,
];
