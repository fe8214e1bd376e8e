//! What came of the operations of a scope: answers, refusals, time-outs, latency.
//!
//! Availability is that of Gilbert and Lynch (2002): a request to a node that has not failed is
//! answered. It is not uptime. Latency counts from when an operation was due, not from when it was
//! sent, so that a system which makes its clients wait is not measured by fewer requests
//! ("coordinated omission": Tene 2013).

use hdrhistogram::Histogram;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::down::Down;
use super::scopes::Scopes;
use crate::faults::Fault;
use crate::history::{ErrorKind, History, NodeId, Operation, Process};

/// Operations that were shed are recorded for a second at a time: the one that begins at the
/// event's `due`, or where that is missing the one that ends with the event.
const SHED_PERIOD_NS: u64 = 1_000_000_000;
/// The deadline where a history has no header to name one.
const DEFAULT_DEADLINE_MS: u64 = 1_000;
/// Latencies are kept to 1 %.
const LATENCY_DIGITS: u8 = 2;
/// Operations that one task counts at least.
const CHUNK_LEAST: usize = 32_768;

/// How well a side does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// 90 % or more are answered in time.
    Serves,
    /// 10 % or less are.
    Refuses,
    /// Anything between.
    Partial,
}

/// Operations of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub answered: u64,
    pub due: u64,
}

impl Share {
    /// The part that was answered in time, from 0 to 1; `None` if nothing was due.
    pub fn success(self) -> Option<f64> {
        (self.due > 0).then(|| self.answered as f64 / self.due as f64)
    }

    /// `None` if nothing was due.
    pub fn service(self) -> Option<Service> {
        if self.due == 0 {
            None
        } else if self.answered * 10 >= self.due * 9 {
            Some(Service::Serves)
        } else if self.answered * 10 <= self.due {
            Some(Service::Refuses)
        } else {
            Some(Service::Partial)
        }
    }

    fn add(&mut self, other: Share) {
        self.answered += other.answered;
        self.due += other.due;
    }
}

/// What came of the operations of a scope. Those of a node that was killed or paused at any moment
/// from when they were due to their deadline are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub reads: Share,
    /// Everything else.
    pub writes: Share,
    /// Said in time that it would not serve, or was not there to be spoken to.
    pub refused: u64,
    /// No answer by the deadline.
    pub timed_out: u64,
    /// Any other error in time.
    pub failed: u64,
    /// Due, but no client was free in time.
    pub shed: u64,
    /// Reads that returned a value, however late, and wherever.
    pub read_answers: u64,
    /// From due to the answer, in microseconds; of answers, however late.
    pub latency_us: Option<Box<Histogram<u32>>>,
}

impl Tally {
    /// All operations that were due.
    pub fn all(&self) -> Share {
        let mut all = self.reads;
        all.add(self.writes);
        all
    }

    /// Both in one.
    pub fn add(&mut self, other: &Tally) {
        self.reads.add(other.reads);
        self.writes.add(other.writes);
        self.refused += other.refused;
        self.timed_out += other.timed_out;
        self.failed += other.failed;
        self.shed += other.shed;
        self.read_answers += other.read_answers;
        if let Some(latency_us) = &other.latency_us {
            let all = self.latency_us.get_or_insert_with(new_histogram);
            all.add(&**latency_us).expect("it grows as it must");
        }
    }

    fn count(&mut self, operation: &Operation, deadline_ns: u64, is_down: bool) {
        let is_read = operation.is_read();
        self.read_answers += u64::from(is_read && operation.is_ok());
        if is_down {
            return;
        }
        let share = if is_read { &mut self.reads } else { &mut self.writes };
        share.due += 1;
        let in_time = operation.completed().is_some_and(|at| at.time_ns <= deadline_ns);
        if operation.is_answered() {
            share.answered += u64::from(in_time);
            let completed_ns = operation.completed().map_or(0, |at| at.time_ns);
            let latency_us = completed_ns.saturating_sub(operation.due_ns) / 1_000;
            let histogram = self.latency_us.get_or_insert_with(new_histogram);
            histogram.record(latency_us).expect("it grows as it must");
        }
        match operation.error().map(|error| error.kind) {
            _ if !in_time => self.timed_out += 1,
            _ if operation.is_answered() => {}
            Some(ErrorKind::Refused | ErrorKind::Connection) => self.refused += 1,
            Some(ErrorKind::Timeout) => self.timed_out += 1,
            _ => self.failed += 1,
        }
    }
}

fn new_histogram() -> Box<Histogram<u32>> {
    Box::new(Histogram::new(LATENCY_DIGITS).expect("a precision that there is"))
}

/// How long an operation may take, in nanoseconds.
pub(crate) fn deadline_ns(history: &History) -> u64 {
    let deadline_ms = history.header().map_or(DEFAULT_DEADLINE_MS, |header| header.deadline_ms);
    deadline_ms.saturating_mul(1_000_000)
}

/// Counts the operations of each scope, all in one pass.
pub(crate) fn tallies(history: &History, faults: &[Fault], scopes: &Scopes) -> Vec<Tally> {
    let down = Down::of(history, faults);
    let deadline_ns = deadline_ns(history);
    let none = || vec![Tally::default(); scopes.all().len()];
    let operations = history.operations();
    let chunk = CHUNK_LEAST.max(operations.len() / rayon::current_num_threads() + 1);
    let count = |operations: &[Operation]| {
        let mut tallies = none();
        for operation in operations {
            let deadline_ns = operation.due_ns.saturating_add(deadline_ns);
            for at in scopes.of_operation(operation) {
                let is_down = down.overlaps(operation.node(), operation.due_ns, deadline_ns);
                tallies[at].count(operation, deadline_ns, is_down);
            }
        }
        tallies
    };
    let add = |mut all: Vec<Tally>, more: Vec<Tally>| {
        all.iter_mut().zip(&more).for_each(|(all, more)| all.add(more));
        all
    };
    let mut all = operations.par_chunks(chunk).map(count).reduce(none, add);
    for shed in shed(history) {
        if down.overlaps(Some(shed.node), shed.from_ns, shed.until_ns) {
            continue;
        }
        for (tally, scope) in all.iter_mut().zip(scopes.all()) {
            if scope.has(Some(shed.node)) {
                let (from_ns, until_ns) = (scope.from_ns.max(shed.from_ns), scope.until_ns);
                let overlap_ns = shed.until_ns.min(until_ns).saturating_sub(from_ns);
                let part = overlap_ns as f64 / SHED_PERIOD_NS as f64;
                let count = (shed.count as f64 * part).round() as u64;
                let share = if shed.is_read { &mut tally.reads } else { &mut tally.writes };
                share.due += count;
                tally.shed += count;
            }
        }
    }
    all
}

/// Operations that were due in the second before a moment and had no free client.
pub(crate) struct Shed {
    pub node: NodeId,
    pub is_read: bool,
    pub count: u64,
    pub from_ns: u64,
    pub until_ns: u64,
}

/// All that were shed, in the order of their report.
pub(crate) fn shed(history: &History) -> Vec<Shed> {
    let mut shed = Vec::new();
    let events = history.notes().iter();
    for event in events.filter(|event| event.process == Process::Harness && event.f == "shed") {
        for (node, counts) in event.value.as_object().into_iter().flatten() {
            let Some(node) = history.node_id(node) else { continue };
            for (f, count) in counts.as_object().into_iter().flatten() {
                let from_ns = event.due.unwrap_or(event.time.saturating_sub(SHED_PERIOD_NS));
                shed.push(Shed {
                    node,
                    is_read: Operation::reads(f),
                    count: count.as_u64().unwrap_or(0),
                    from_ns,
                    until_ns: from_ns.saturating_add(SHED_PERIOD_NS),
                });
            }
        }
    }
    shed
}
