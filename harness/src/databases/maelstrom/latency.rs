//! How long messages between nodes take, if they are to take longer than the links do: drawn for each link
//! from the seed, so that the same messages are delayed alike in every run.

use std::time::Duration;

use clap::ValueEnum;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How latencies are spread around their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Distribution {
    /// All alike.
    Constant,
    /// From 0 to twice the mean.
    Uniform,
    /// Mostly short, with a long tail.
    Exponential,
}

/// The latencies of one link.
pub(super) struct Latency {
    mean: Duration,
    distribution: Distribution,
    rng: ChaCha8Rng,
}

impl Latency {
    /// Of the link that has this number.
    pub(super) fn new(mean: Duration, distribution: Distribution, seed: u64, link: u64) -> Latency {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(link);
        Latency { mean, distribution, rng }
    }

    /// That of the next message.
    pub(super) fn next(&mut self) -> Duration {
        self.mean.mul_f64(match self.distribution {
            Distribution::Constant => 1.0,
            Distribution::Uniform => 2.0 * self.rng.random::<f64>(),
            // By inversion; the argument is never 0.
            Distribution::Exponential => -(1.0 - self.rng.random::<f64>()).ln(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_have_their_mean_and_depend_on_seed_and_link_alone() {
        let draw = |distribution, seed, link| -> Vec<f64> {
            let mut latency = Latency::new(Duration::from_millis(10), distribution, seed, link);
            (0..5_000).map(|_| latency.next().as_secs_f64() * 1e3).collect()
        };
        use Distribution::{Constant, Exponential, Uniform};
        for distribution in [Constant, Uniform, Exponential] {
            let drawn = draw(distribution, 1, 2);
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            assert!((9.5..10.5).contains(&mean), "{distribution:?}: {mean}");
            assert_eq!(drawn, draw(distribution, 1, 2));
        }
        assert_ne!(draw(Uniform, 1, 2), draw(Uniform, 1, 3));
        assert_ne!(draw(Uniform, 1, 2), draw(Uniform, 2, 2));
        assert!(draw(Exponential, 1, 1).iter().any(|ms| *ms > 40.0));
    }
}
