//! Does it scale? What a cluster carries and how long users wait, under more and more load.
//!
//! *Throughput mode* is a closed loop: so many clients, each of which asks again as soon as it has
//! been answered; it shows what the system can carry. *Latency mode* is an open loop: operations are
//! due at a fixed rate, and latency counts from then, so that waiting for a slow system is part of it
//! (no coordinated omission). Everything here is computed from the histories of the runs.

mod problem;
mod slowed;
mod usl;

use hdrhistogram::Histogram;
use serde::Serialize;
use splitbrain_checker::history::{History, Operation, Phase};

pub use problem::{Problem, knee, problem};
pub use slowed::Slowed;
pub use usl::{Fit, Interval, POINTS_LEAST, fit};

/// What one run of the sweep showed in its main phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The value on the axis: clients, operations a second, nodes or keys.
    pub at: f64,
    /// Successful operations a second, those of a compare-and-set that did not match included.
    pub throughput: f64,
    /// The same in each whole second.
    #[serde(skip)]
    pub by_second: Vec<f64>,
    /// Median latency of these in milliseconds, from when they were due; null if there is none.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Part of all operations that did not succeed, those included that found no free client.
    pub failed: f64,
    /// What the verdict of the run was: the class, if there is one.
    pub class: Option<String>,
    /// The folder of the run.
    pub run: String,
}

/// Longest latency that is told apart.
const LONGEST_US: u64 = 3_600_000_000;

/// The operations that completed within a span of time, in nanoseconds.
pub struct Part<'h> {
    history: &'h History,
    from_ns: u64,
    to_ns: u64,
}

impl<'h> Part<'h> {
    /// A phase, until the next one begins; `None` if the run did not come that far or it took no time.
    pub fn phase(history: &'h History, phase: Phase) -> Option<Part<'h>> {
        let phases = history.phases();
        let begun = phases.iter().position(|start| start.phase == phase)?;
        let from_ns = phases[begun].at.time_ns;
        let to_ns = phases.get(begun + 1)?.at.time_ns;
        (to_ns > from_ns).then_some(Part { history, from_ns, to_ns })
    }

    /// The same, without its beginning.
    pub fn after(self, from_ns: u64) -> Option<Part<'h>> {
        let from_ns = self.from_ns.max(from_ns);
        (self.to_ns > from_ns).then_some(Part { from_ns, ..self })
    }

    fn seconds(&self) -> f64 {
        (self.to_ns - self.from_ns) as f64 / 1e9
    }

    /// Each answered operation with the time of its completion.
    fn answered(&self) -> impl Iterator<Item = (u64, &'h Operation)> {
        let (from_ns, to_ns) = (self.from_ns, self.to_ns);
        self.history.operations().iter().filter(|one| one.is_answered()).filter_map(move |one| {
            let ended = one.completed()?.time_ns;
            (from_ns..to_ns).contains(&ended).then_some((ended, one))
        })
    }

    /// Answered operations a second, of all nodes or of those that `of` picks.
    pub fn throughput(&self, of: impl Fn(&str) -> bool) -> f64 {
        let at = |one: &Operation| one.node().is_some_and(|node| of(&self.history[node]));
        self.answered().filter(|(_, one)| at(one)).count() as f64 / self.seconds()
    }

    /// The figures of a sweep's point.
    pub fn point(&self, at: f64, class: Option<String>, run: String) -> Point {
        let mut latency =
            Histogram::<u64>::new_with_bounds(1, LONGEST_US, 3).expect("sound bounds");
        let mut by_second = vec![0.0; self.seconds() as usize];
        let mut answered = 0u64;
        for (ended, one) in self.answered() {
            answered += 1;
            latency.saturating_record((ended.saturating_sub(one.due_ns) / 1_000).max(1));
            if let Some(second) =
                by_second.get_mut(((ended - self.from_ns) / 1_000_000_000) as usize)
            {
                *second += 1.0;
            }
        }
        let quantile = |q: f64| (answered > 0).then(|| latency.value_at_quantile(q) as f64 / 1e3);
        let asked = self.asked();
        Point {
            at,
            throughput: answered as f64 / self.seconds(),
            by_second,
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            failed: if asked == 0 { 0.0 } else { self.failed() as f64 / asked as f64 },
            class,
            run,
        }
    }

    /// Operations that were due in this part.
    fn due(&self) -> impl Iterator<Item = &'h Operation> {
        let (from_ns, to_ns) = (self.from_ns, self.to_ns);
        self.history.operations().iter().filter(move |one| (from_ns..to_ns).contains(&one.due_ns))
    }

    fn shed(&self) -> u64 {
        let notes = self.history.notes().iter().filter(|note| note.f == "shed");
        let here = notes
            .filter(|note| note.due.is_some_and(|due| (self.from_ns..self.to_ns).contains(&due)));
        let of_nodes = here.filter_map(|note| note.value.as_object());
        let of_f = of_nodes.flat_map(|nodes| nodes.values()).filter_map(|by_f| by_f.as_object());
        of_f.flat_map(|by_f| by_f.values()).filter_map(serde_json::Value::as_u64).sum()
    }

    fn asked(&self) -> u64 {
        self.due().count() as u64 + self.shed()
    }

    fn failed(&self) -> u64 {
        self.due().filter(|one| !one.is_answered()).count() as u64 + self.shed()
    }
}

#[cfg(test)]
mod tests;
