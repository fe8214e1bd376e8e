//! The fast procedures against one that is obviously right, and the laws that all must keep.

mod exhaustive;
mod laws;
mod limits;
mod oracle;
mod orders;
mod procedures;
mod random;
#[path = "../../../benches/linearizable/simulated.rs"]
mod simulated;
mod witnesses;

use super::*;

/// One random stream for each purpose and number.
fn seeded(seed: u64) -> rand_chacha::ChaCha8Rng {
    use rand::SeedableRng;
    rand_chacha::ChaCha8Rng::seed_from_u64(seed)
}

/// How many random cases to try: so many thousands times `SPLITBRAIN_LONG`, if that is set, and a
/// tenth of them without optimisation.
fn cases(thousands: u64) -> u64 {
    let long = std::env::var("SPLITBRAIN_LONG").ok().and_then(|times| times.parse().ok());
    let cases = 1000 * thousands * long.unwrap_or(1);
    if cfg!(debug_assertions) { cases / 10 } else { cases }
}
