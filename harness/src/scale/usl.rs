//! The Universal Scalability Law (Gunther 1993; *Guerrilla Capacity Planning*, 2007): the throughput
//! of `n` clients is `X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1))`.
//!
//! `lambda` is what one client alone gets, `sigma` the part that is serialized (contention: with it
//! alone the law is Amdahl's), `kappa` what it costs to keep each pair consistent (coherency: it makes
//! throughput fall again). Fitted by least squares (Levenberg and Marquardt) of relative errors, none
//! of the three below zero; intervals are percentiles of a bootstrap (Efron 1979) over the seconds
//! that were measured at each point.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rmpfit::{MPFitter, MPPar, MPResult};
use serde::Serialize;

use super::Point;

/// Fewer say nothing: the law has three unknowns.
pub const POINTS_LEAST: usize = 4;
/// Samples of the bootstrap.
const SAMPLES: usize = 400;

/// An estimate with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The law as it fits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// Operations a second of one client alone.
    pub lambda: Interval,
    /// Contention, as a part of 1.
    pub sigma: Interval,
    /// Coherency, as a part of 1.
    pub kappa: Interval,
    /// How many clients carry the most, `sqrt((1 - sigma) / kappa)`; null if more always carry more.
    pub most_at: Option<Interval>,
    /// Coefficient of determination: 1 if the law says all there is to say.
    pub r_squared: f64,
}

impl Fit {
    /// Operations a second that the law gives for so many clients.
    pub fn throughput(&self, n: f64) -> f64 {
        law(&[self.lambda.value, self.sigma.value, self.kappa.value], n)
    }
}

fn law(&[lambda, sigma, kappa]: &[f64; 3], n: f64) -> f64 {
    lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
}

fn most_at(&[_, sigma, kappa]: &[f64; 3]) -> Option<f64> {
    // Beyond that it is not to be told from never.
    (kappa > 1e-9).then(|| ((1.0 - sigma).max(0.0) / kappa).sqrt().max(1.0))
}

/// Fits the law to points, or says why it cannot. `seed` fixes the bootstrap.
pub fn fit(points: &[Point], seed: u64) -> Result<Fit, String> {
    let mut used: Vec<&Point> = points.iter().filter(|point| point.throughput > 0.0).collect();
    used.sort_by(|a, b| a.at.total_cmp(&b.at));
    used.dedup_by_key(|point| point.at);
    if used.len() < POINTS_LEAST {
        return Err(format!(
            "{} points with a throughput; the law needs at least {POINTS_LEAST}",
            used.len()
        ));
    }
    let measured: Vec<(f64, f64)> = used.iter().map(|point| (point.at, point.throughput)).collect();
    let best = least_squares(&measured).ok_or("no law fits these points")?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let samples: Vec<[f64; 3]> = (0..SAMPLES)
        .filter_map(|_| {
            let drawn = |point: &&Point| match point.by_second.len() {
                0 | 1 => (point.at, point.throughput),
                n => {
                    let sum: f64 = (0..n).map(|_| point.by_second[rng.random_range(0..n)]).sum();
                    (point.at, sum / n as f64)
                }
            };
            least_squares(&used.iter().map(drawn).collect::<Vec<_>>())
        })
        .collect();
    let of = |value: f64, pick: &dyn Fn(&[f64; 3]) -> f64| {
        let mut all: Vec<f64> = samples.iter().map(pick).collect();
        all.sort_by(f64::total_cmp);
        let at =
            |part: f64| all.get((part * (all.len().max(1) - 1) as f64).round() as usize).copied();
        Interval {
            value,
            low: at(0.025).unwrap_or(value).min(value),
            high: at(0.975).unwrap_or(value).max(value),
        }
    };
    Ok(Fit {
        lambda: of(best[0], &|sample| sample[0]),
        sigma: of(best[1], &|sample| sample[1]),
        kappa: of(best[2], &|sample| sample[2]),
        most_at: most_at(&best)
            .map(|value| of(value, &|sample| most_at(sample).unwrap_or(f64::MAX))),
        r_squared: r_squared(&measured, &best),
    })
}

fn r_squared(measured: &[(f64, f64)], best: &[f64; 3]) -> f64 {
    let mean = measured.iter().map(|(_, x)| x).sum::<f64>() / measured.len() as f64;
    let off: f64 = measured.iter().map(|(n, x)| (x - law(best, *n)).powi(2)).sum();
    let all: f64 = measured.iter().map(|(_, x)| (x - mean).powi(2)).sum();
    if all == 0.0 { 1.0 } else { 1.0 - off / all }
}

struct Relative<'m>(&'m [(f64, f64)]);

impl MPFitter for Relative<'_> {
    fn eval(&mut self, params: &[f64], deviates: &mut [f64]) -> MPResult<()> {
        let params = [params[0], params[1], params[2]];
        for (deviate, (n, x)) in deviates.iter_mut().zip(self.0) {
            *deviate = law(&params, *n) / x - 1.0;
        }
        Ok(())
    }

    fn number_of_points(&self) -> usize {
        self.0.len()
    }

    fn parameters(&self) -> &[MPPar] {
        const NOT_BELOW_ZERO: MPPar = MPPar { limited_low: true, limit_low: 0.0, ..MPPar::new() };
        &[NOT_BELOW_ZERO; 3]
    }
}

fn least_squares(measured: &[(f64, f64)]) -> Option<[f64; 3]> {
    if measured.iter().any(|(n, x)| *n <= 0.0 || *x <= 0.0) {
        return None;
    }
    let first = measured.first()?;
    let mut params = [first.1 / first.0, 0.01, 0.0001];
    Relative(measured).mpfit(&mut params).ok()?;
    params.iter().all(|value| value.is_finite()).then_some(params)
}
