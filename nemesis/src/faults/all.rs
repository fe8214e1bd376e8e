//! The list of all faults.

use super::{
    Fault, bridge, client_side, cpu, crash_loop, flapping, halves, isolate_one, kill, leave,
    majorities_ring, majority, memory, minority_third, one_way, partial, pause, primaries,
    random_halves, rolling_restart, stop,
};

/// All faults, in the order in which they are shown.
pub const ALL: &[&Fault] = &[
    &halves::FAULT,
    &random_halves::FAULT,
    &isolate_one::FAULT,
    &minority_third::FAULT,
    &majority::FAULT,
    &primaries::FAULT,
    &majorities_ring::FAULT,
    &bridge::FAULT,
    &one_way::FAULT,
    &partial::FAULT,
    &client_side::FAULT,
    &flapping::FAULT,
    &kill::FAULT,
    &stop::FAULT,
    &pause::FAULT,
    &crash_loop::FAULT,
    &rolling_restart::FAULT,
    &cpu::FAULT,
    &memory::FAULT,
    &leave::FAULT,
];
