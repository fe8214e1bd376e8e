//! Which of several keys comes next.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::generator::Context;

/// How a key is chosen from those that are worked on. Where one is more popular than another, it is the one
/// that has been there for longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyChoice {
    /// Each as often as any other.
    Uniform,
    /// The second half as often as the first, the third a third as often, and so on (Zipf's law).
    Zipf,
    /// Each half as often as the one before it.
    Exponential,
    /// The first every other time, and the others alike.
    Hot,
}

impl KeyChoice {
    /// The place of the one that comes next, of so many, which must not be none.
    pub fn of(self, ctx: &mut Context, count: usize) -> usize {
        match self {
            KeyChoice::Uniform => ctx.rng.random_range(0..count),
            KeyChoice::Zipf => {
                let weight = |place: usize| 1.0 / (place + 1) as f64;
                let all: f64 = (0..count).map(weight).sum();
                let mut ticket = ctx.rng.random_range(0.0..all);
                let passed = (0..count - 1).take_while(|place| {
                    ticket -= weight(*place);
                    ticket >= 0.0
                });
                passed.count()
            }
            KeyChoice::Exponential => {
                (0..count - 1).take_while(|_| ctx.rng.random_bool(0.5)).count()
            }
            KeyChoice::Hot if count == 1 || ctx.rng.random_bool(0.5) => 0,
            KeyChoice::Hot => ctx.rng.random_range(1..count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of four comes, in a thousand.
    fn shares(choice: KeyChoice) -> [u32; 4] {
        let mut ctx = Context::new(7, 0, 1);
        let mut shares = [0; 4];
        (0..100_000).for_each(|_| shares[choice.of(&mut ctx, 4)] += 1);
        shares.map(|share| share / 100)
    }

    #[test]
    fn keys_are_as_popular_as_their_choice_says() {
        for (choice, expected) in [
            (KeyChoice::Uniform, [250, 250, 250, 250]),
            (KeyChoice::Zipf, [480, 240, 160, 120]),
            (KeyChoice::Exponential, [500, 250, 125, 125]),
            (KeyChoice::Hot, [500, 167, 167, 167]),
        ] {
            let shares = shares(choice);
            let close = shares.iter().zip(expected).all(|(one, other)| one.abs_diff(other) < 12);
            assert!(close, "{choice:?}: {shares:?}");
            assert_eq!(choice.of(&mut Context::new(1, 0, 1), 1), 0);
        }
    }
}
