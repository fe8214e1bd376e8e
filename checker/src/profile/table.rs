//! The table: what the figures of each column say, one row for each dimension in which systems
//! differ when their network is whole and when it is not.
//!
//! Each word is earned by figures of this history; the name of the system, or of its mode, says
//! nothing here.

use serde::Serialize;

use super::cell::{Cell, percent, time};
use super::columns::Column;
use super::tally::Service;

/// A latency is a spike from so many times the one without a partition on,
const SPIKE: f64 = 3.0;
/// and if it is at least so many milliseconds more.
const SPIKE_LEAST_MS: f64 = 5.0;
/// A share of requests is worth watching from here on.
const WATCHED: f64 = 0.01;

/// One dimension, in all columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What is looked at.
    pub dimension: &'static str,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// What one dimension says of a column, given all of them.
type Judge = fn(&Column, &[Column]) -> Cell;

const ROWS: [(&str, Judge); 8] = [
    ("primary goal shown", goal),
    ("latency", latency),
    ("throughput", throughput),
    ("request handling", handling),
    ("writes", writes),
    ("replication", replication),
    ("data correctness", correctness),
    ("metrics to watch", watch),
];

/// The columns of the table by their places.
const WHOLE: usize = 0;
const THIS: usize = 1;
const THAT: usize = 2;

/// The rows for the four columns.
pub(super) fn rows(columns: &[Column]) -> Vec<Row> {
    let cell = |column: &Column, judge: Judge| match column.reason {
        Some(reason) => Cell::undecided(reason),
        None => judge(column, columns),
    };
    let row = |(dimension, judge): &(&'static str, Judge)| Row {
        dimension,
        cells: columns.iter().map(|column| cell(column, *judge)).collect(),
    };
    ROWS.iter().map(row).collect()
}

/// Whether it was seen that nodes, or answers, contradicted each other; `None` if nothing was seen
/// of that.
fn is_wrong(column: &Column) -> Option<bool> {
    let stale = column.staleness.as_ref().map(|staleness| staleness.stale > 0);
    let diverged = column.divergence.as_ref().map(|divergence| divergence.diverged > 0);
    match (stale, diverged) {
        (None, None) => None,
        (stale, diverged) => Some(stale == Some(true) || diverged == Some(true)),
    }
}

/// Reads and writes together.
fn service(column: &Column) -> Service {
    match (column.reads, column.writes) {
        (Some(Service::Serves) | None, Some(Service::Serves) | None) => Service::Serves,
        (Some(Service::Refuses) | None, Some(Service::Refuses) | None) => Service::Refuses,
        _ => Service::Partial,
    }
}

fn goal(column: &Column, _: &[Column]) -> Cell {
    let success = column.traffic.success.map_or("-".to_owned(), percent);
    let (right, wrong) = (is_wrong(column) == Some(false), is_wrong(column) == Some(true));
    let seen = match is_wrong(column) {
        Some(true) => "answers contradict each other",
        Some(false) => "no answer contradicts another",
        None => "answers were not compared",
    };
    let because = format!("{success} answered, {seen}");
    match service(column) {
        Service::Serves if wrong => Cell::new("stay available", because),
        Service::Serves if right => Cell::new("available and correct", because),
        Service::Serves => Cell::new("stay available", because),
        Service::Refuses if right => Cell::new("preserve correctness", because),
        Service::Refuses if column.staleness.is_none() => {
            Cell::new("preserve correctness", format!("{success} answered, nothing to contradict"))
        }
        _ => Cell::new("neither", because),
    }
}

fn latency(column: &Column, columns: &[Column]) -> Cell {
    let Some(latency_ms) = column.traffic.latency_ms else {
        return Cell::undecided("nothing was answered");
    };
    let because = format!(
        "p50 {}, p95 {}, p99 {}, p99.9 {}",
        time(latency_ms.p50),
        time(latency_ms.p95),
        time(latency_ms.p99),
        time(latency_ms.p99_9)
    );
    let unanswered = column.traffic.timed_out + column.traffic.shed;
    let whole = columns[WHOLE].traffic.latency_ms.filter(|_| columns[WHOLE].name != column.name);
    let Some(whole) = whole else { return Cell::new("measured", because) };
    let spikes =
        latency_ms.p99 >= SPIKE * whole.p99 && latency_ms.p99 >= whole.p99 + SPIKE_LEAST_MS;
    if unanswered * 10 > column.traffic.requests {
        Cell::new("time-outs", format!("{because}; {unanswered} without an answer in time"))
    } else if spikes {
        Cell::new("high, spikes", format!("{because}; p99 was {}", time(whole.p99)))
    } else {
        Cell::new("stable", format!("{because}; p99 was {}", time(whole.p99)))
    }
}

fn throughput(column: &Column, _: &[Column]) -> Cell {
    let (Some(answered_per_s), Some(success)) =
        (column.traffic.throughput_per_s, column.traffic.success)
    else {
        return Cell::undecided("there was too little time");
    };
    let asked_per_s = column.traffic.requests as f64 / column.seconds;
    let because = format!("{answered_per_s:.0} of {asked_per_s:.0} a second");
    Cell::new(
        match success {
            0.99.. => "keeps up",
            0.1.. => "reduced",
            _ => "stops",
        },
        because,
    )
}

fn handling(column: &Column, _: &[Column]) -> Cell {
    let traffic = &column.traffic;
    let part = |count: u64| percent(count as f64 / traffic.requests as f64);
    let blocked = traffic.timed_out + traffic.shed;
    let because = format!(
        "{} served, {} refused, {} blocked until the deadline, {} other errors",
        part(traffic.answered),
        part(traffic.refused),
        part(blocked),
        part(traffic.failed)
    );
    let most = [traffic.refused, blocked, traffic.failed];
    let word = if traffic.answered * 10 >= traffic.requests * 9 {
        "serve"
    } else if traffic.answered * 10 > traffic.requests {
        "serve in part"
    } else if most[0] >= most[1].max(most[2]) {
        "refuse"
    } else if most[1] >= most[2] {
        "block"
    } else {
        "fail"
    };
    Cell::new(word, because)
}

/// Only a partition shows whether a write needs others: a side that takes writes while no message
/// crosses needs nobody beyond it.
fn writes(column: &Column, columns: &[Column]) -> Cell {
    let success = |column: &Column| column.traffic.write_success;
    let takes = |column: &Column| column.writes == Some(Service::Serves);
    let shown = |column: &Column| success(column).map_or("none".to_owned(), percent);
    if column.name == columns[WHOLE].name || column.name == columns[columns.len() - 1].name {
        let of_cut = [&columns[THIS], &columns[THAT]];
        if of_cut.iter().any(|column| column.reason.is_some()) {
            return Cell::undecided("only a total partition tells");
        }
        let because =
            format!("when partitioned: {} here, {} there", shown(of_cut[0]), shown(of_cut[1]));
        return match of_cut.map(takes) {
            [true, true] => Cell::new("local", because),
            [true, false] if of_cut[0].majority => Cell::new("quorum or leader", because),
            [true, false] | [false, true] => Cell::new("one side's leader", because),
            [false, false] => Cell::new("all nodes", because),
        };
    }
    let because = format!("{} of the writes taken", shown(column));
    let other = if column.name == columns[THIS].name { &columns[THAT] } else { &columns[THIS] };
    match (column.writes, column.majority) {
        (None, _) => Cell::undecided("no write was due"),
        (Some(Service::Serves), _) if takes(other) => Cell::new("accepted locally", because),
        (Some(Service::Serves), true) => Cell::new("taken by the quorum", because),
        (Some(Service::Serves), false) => Cell::new("taken by the leader", because),
        (Some(Service::Refuses), _) => Cell::new("need the other side", because),
        (Some(Service::Partial), _) => Cell::new("taken in part", because),
    }
}

/// Deferred is proven by an answer that lacks an acknowledged write; sync is as far as was seen.
fn replication(column: &Column, columns: &[Column]) -> Cell {
    let Some(staleness) = &column.staleness else {
        return Cell::undecided("no read returned a value that could be compared");
    };
    let because =
        format!("{} of {} reads lacked an acknowledged write", staleness.stale, staleness.reads);
    let is_cut = column.name == columns[THIS].name || column.name == columns[THAT].name;
    let alone = is_cut && column.writes == Some(Service::Serves) && !column.majority;
    if staleness.stale > 0 {
        Cell::new("deferred", because)
    } else if alone {
        Cell::new("deferred", format!("{because}; writes were taken without the other side"))
    } else {
        Cell::new("synchronous, as far as seen", because)
    }
}

fn correctness(column: &Column, _: &[Column]) -> Cell {
    let mut because = Vec::new();
    if let Some(staleness) = &column.staleness {
        because.push(format!("{} of {} reads stale", staleness.stale, staleness.reads));
        if let (Some(oldest_ms), Some(versions)) = (staleness.oldest_ms, staleness.versions) {
            because.push(format!("by up to {} and {versions} versions", time(oldest_ms)));
        }
    }
    if let Some(divergence) = &column.divergence {
        because.push(format!(
            "nodes differed in {} of {} rounds",
            divergence.diverged, divergence.rounds
        ));
    }
    match is_wrong(column) {
        None => Cell::undecided("nothing was read that could be compared"),
        Some(true) => Cell::new("stale or conflicting", because.join(", ")),
        Some(false) => Cell::new("single view", because.join(", ")),
    }
}

/// What stands out here, or if nothing does, what there is.
fn watch(column: &Column, columns: &[Column]) -> Cell {
    let traffic = &column.traffic;
    let mut watched = Vec::new();
    let mut share = |what: &str, count: u64| {
        let part = count as f64 / traffic.requests as f64;
        if part >= WATCHED {
            watched.push(format!("{what} {}", percent(part)));
        }
    };
    share("refusals", traffic.refused);
    share("time-outs", traffic.timed_out + traffic.shed);
    share("other errors", traffic.failed);
    if latency(column, columns).word == Some("high, spikes")
        && let Some(latency_ms) = traffic.latency_ms
    {
        watched.push(format!("p99 {}", time(latency_ms.p99)));
    }
    let stale = column.staleness.as_ref().and_then(|staleness| staleness.oldest_ms);
    watched.extend(stale.map(|oldest_ms| format!("staleness {}", time(oldest_ms))));
    if let Some(divergence) = column.divergence.as_ref().filter(|one| one.diverged > 0) {
        watched.push(format!("divergence {}", time(divergence.longest_ms)));
    }
    if !watched.is_empty() {
        return Cell::new("these moved", watched.join(", "));
    }
    match (traffic.latency_ms, traffic.throughput_per_s) {
        (Some(latency_ms), Some(per_s)) => Cell::new(
            "latency, throughput",
            format!("p95 {}, p99 {}, {per_s:.0}/s", time(latency_ms.p95), time(latency_ms.p99)),
        ),
        _ => Cell::undecided("nothing was answered"),
    }
}
