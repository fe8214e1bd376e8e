//! The list of all faults.

use super::{
    Fault, bridge, halves, isolate_one, kill, majorities_ring, one_way, pause, primaries,
    random_halves,
};

/// All faults, in the order in which they are shown.
pub const ALL: &[&Fault] = &[
    &halves::FAULT,
    &random_halves::FAULT,
    &isolate_one::FAULT,
    &primaries::FAULT,
    &majorities_ring::FAULT,
    &bridge::FAULT,
    &one_way::FAULT,
    &kill::FAULT,
    &pause::FAULT,
];
