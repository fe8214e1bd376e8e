//! Judges recorded histories. A history goes in, a verdict comes out: no clock, no I/O beyond
//! reading a file, no async, no randomness.

pub mod history;
