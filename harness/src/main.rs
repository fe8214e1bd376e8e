//! The `splitbrain` program.

fn main() {}
