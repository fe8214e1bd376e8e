//! The list of all faults.

use super::{
    Fault, bandwidth, bridge, client_side, corrupt, cpu, crash_loop, delay, duplicate, flapping,
    halves, isolate_one, jitter, kill, leave, loss, majorities_ring, majority, memory,
    minority_third, one_way, partial, pause, primaries, random_halves, reorder, reset,
    rolling_restart, stop,
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
    &delay::FAULT,
    &jitter::FAULT,
    &loss::FAULT,
    &duplicate::FAULT,
    &reorder::FAULT,
    &corrupt::FAULT,
    &bandwidth::FAULT,
    &reset::FAULT,
    &kill::FAULT,
    &stop::FAULT,
    &pause::FAULT,
    &crash_loop::FAULT,
    &rolling_restart::FAULT,
    &cpu::FAULT,
    &memory::FAULT,
    &leave::FAULT,
];
