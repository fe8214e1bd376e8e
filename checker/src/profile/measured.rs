//! What was measured of a scope, in the units that people read.

use serde::Serialize;

use super::rounds::{KeyRounds, within};
use super::scopes::Scope;
use super::seen::Stale;
use super::tally::Tally;

/// In less time nothing can be said of how many there were a second.
const SECONDS_LEAST: f64 = 0.1;

/// Requests, answers and their times, of some nodes in some time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Traffic {
    /// Operations that were due, shed ones included; without those of a node that was killed or
    /// paused meanwhile.
    pub requests: u64,
    /// Answered within the deadline, by `ok` or a correct negative answer.
    pub answered: u64,
    /// Refused within the deadline, or there was nobody to connect to.
    pub refused: u64,
    /// Without an answer at the deadline.
    pub timed_out: u64,
    /// Ended by any other error within the deadline.
    pub failed: u64,
    /// Never sent, because every client of the node was waiting for an answer.
    pub shed: u64,
    /// The part of the requests that was answered, from 0 to 1.
    pub success: Option<f64>,
    /// The same of reads alone.
    pub read_success: Option<f64>,
    /// The same of all others.
    pub write_success: Option<f64>,
    /// Requests a second that were answered, where there was a tenth of a second at least.
    pub throughput_per_s: Option<f64>,
    /// Of all answers, however late: from when the request was due.
    pub latency_ms: Option<Latency>,
}

/// Latencies in milliseconds, to 1 % (HdrHistogram).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the answers took no longer.
    pub p50: f64,
    /// 95 % took no longer.
    pub p95: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// 99.9 % took no longer.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// The slowest.
    pub max: f64,
}

/// Reads that returned a value although a newer one had been acknowledged before they began.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Staleness {
    /// Reads that returned a value.
    pub reads: u64,
    /// Those that were stale.
    pub stale: u64,
    /// The greatest age in milliseconds, counted from the earliest acknowledgement of a newer write:
    /// at least.
    pub oldest_ms: Option<f64>,
    /// The median age of the stale ones: at least.
    pub median_ms: Option<f64>,
    /// The most versions that one was behind: at least.
    pub versions: Option<u32>,
}

/// Rounds of reads of one key at all nodes at once in which nodes differed for certain.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Divergence {
    /// Rounds that could be compared.
    pub rounds: u64,
    /// Those in which two nodes held different values.
    pub diverged: u64,
    /// The most values of one key at once.
    pub values: usize,
    /// The longest time from one round that diverged to another without one between in which as many
    /// nodes gave the same answer, in milliseconds: at least.
    pub longest_ms: f64,
}

impl Traffic {
    /// Of operations that were due within `seconds`.
    pub(crate) fn of(tally: &Tally, seconds: f64) -> Traffic {
        let all = tally.all();
        Traffic {
            requests: all.due,
            answered: all.answered,
            refused: tally.refused,
            timed_out: tally.timed_out,
            failed: tally.failed,
            shed: tally.shed,
            success: all.success(),
            read_success: tally.reads.success(),
            write_success: tally.writes.success(),
            throughput_per_s: (seconds >= SECONDS_LEAST && all.due > 0)
                .then(|| rounded(all.answered as f64 / seconds)),
            latency_ms: Latency::of(tally),
        }
    }
}

impl Latency {
    fn of(tally: &Tally) -> Option<Latency> {
        let latency_us = tally.latency_us.as_ref().filter(|latency_us| !latency_us.is_empty())?;
        let at = |quantile| rounded(latency_us.value_at_quantile(quantile) as f64 / 1e3);
        Some(Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99), p99_9: at(0.999), max: at(1.0) })
    }
}

impl Staleness {
    /// Of so many reads, with the stale ones among them.
    pub(crate) fn of(reads: u64, stale: &[&Stale]) -> Staleness {
        let mut ages_ns: Vec<u64> = stale.iter().map(|stale| stale.age_ns).collect();
        ages_ns.sort_unstable();
        Staleness {
            reads,
            stale: stale.len() as u64,
            oldest_ms: ages_ns.last().map(|age_ns| ms(*age_ns)),
            median_ms: ages_ns.get(ages_ns.len() / 2).map(|age_ns| ms(*age_ns)),
            versions: stale.iter().map(|stale| stale.versions).max(),
        }
    }
}

impl Divergence {
    /// Of the probe rounds of each key that began in one of some scopes, each among the nodes of
    /// that scope.
    pub(crate) fn of(rounds: &[KeyRounds], scopes: &[&Scope]) -> Divergence {
        let mut found = Divergence::default();
        for (rounds, scope) in rounds.iter().flat_map(|of| scopes.iter().map(move |s| (of, s))) {
            // When they were first seen to differ without having agreed since, and how many they were.
            let mut since: Option<(u64, usize)> = None;
            let rounds = within(&rounds.all, scope.from_ns, scope.until_ns);
            for round in rounds.iter().filter(|round| !round.is_final) {
                let nodes = scope.nodes.as_deref();
                let values = round.distinct(nodes);
                found.rounds += u64::from(values.is_some());
                found.values = found.values.max(values.unwrap_or(0));
                if values.is_none_or(|values| values < 2) {
                    // They may have differed if a write was under way or not all of them answered.
                    let agreeing = round.agreeing(nodes);
                    since = since.filter(|(_, count)| agreeing.is_none_or(|some| some < *count));
                    continue;
                }
                found.diverged += 1;
                let (first_ns, count) = since.get_or_insert((round.begun_ns, 0));
                *count = round.answering(nodes).max(*count);
                found.longest_ms = found.longest_ms.max(ms(round.begun_ns - *first_ns));
            }
        }
        found
    }
}

/// Nanoseconds as milliseconds.
pub(crate) fn ms(ns: u64) -> f64 {
    rounded(ns as f64 / 1e6)
}

/// To a thousandth: nothing here is known more exactly.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
