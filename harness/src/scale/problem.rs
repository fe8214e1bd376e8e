//! Which of the two it is: a *performance problem* makes a system slow for a single user, a
//! *scalability problem* makes one that is fast for a single user slow under heavy load.

use serde::Serialize;

use super::Point;

/// Under load, waiting that much longer than alone is the load's doing.
const LONGER_BY: f64 = 2.0;
/// Of what a rate asks for, so much must be carried.
const CARRIED: f64 = 0.95;

/// What is wrong, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Problem {
    /// Slow for one user.
    Performance,
    /// Fast for one, slow under load.
    Scalability,
    /// Slow for one, and much slower under load.
    Both,
    /// Fast for one and under all the load that was tried.
    Neither,
}

/// What the least and the greatest load say. `points` are in the order of their load, the first of
/// them the least; `acceptable_ms` is how long a user may wait (95th percentile). Also the first
/// point that is slow under load. `None` if there are not two points or nothing was answered at the
/// first.
pub fn problem(
    points: &[Point],
    acceptable_ms: f64,
    rates: bool,
) -> Option<(Problem, Option<&Point>)> {
    let [alone, loaded @ ..] = points else { return None };
    let alone_ms = alone.p95_ms?;
    let is_slow = |point: &&Point| {
        let waits = point.p95_ms.is_none_or(|ms| ms > acceptable_ms && ms > LONGER_BY * alone_ms);
        waits || (rates && point.throughput < CARRIED * point.at)
    };
    let under_load = loaded.iter().find(is_slow);
    let problem = match (alone_ms > acceptable_ms, under_load.is_some()) {
        (true, true) => Problem::Both,
        (true, false) => Problem::Performance,
        (false, true) => Problem::Scalability,
        (false, false) => Problem::Neither,
    };
    (!loaded.is_empty()).then_some((problem, under_load))
}

/// The knee: the load at which throughput divided by latency, the *power* of a system (Giessler et
/// al. 1978; Kleinrock 1979), is greatest. With less there is room, with more everybody waits.
pub fn knee(points: &[Point]) -> Option<&Point> {
    let power = |point: &Point| Some(point.throughput / point.p50_ms.filter(|ms| *ms > 0.0)?);
    let powers = points.iter().filter_map(|point| Some((power(point)?, point)));
    powers.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, point)| point)
}
