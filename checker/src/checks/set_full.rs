//! Sets that are read all the time: for each element when it was there for good, or lost (Jepsen's
//! `set-full`, which here also finds duplicates).

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use super::{Check, Finding, Object, Report, elements, unexplained};
use crate::history::{Datum, Moment, Operation};

/// `add` of an element, each once, and `read`, answered with all of them.
pub(super) struct SetFull;

/// The quantiles of latencies.
const QUANTILES: [f64; 5] = [0.0, 0.5, 0.95, 0.99, 1.0];
/// So many of the stalest elements are told.
const WORST: usize = 8;

/// What became of an element.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Stable,
    Lost,
    NeverRead,
}

struct Element<'h> {
    add: &'h Operation,
    /// When it was certain that it is there, by an acknowledgement or by a read.
    known: Option<Moment>,
    /// The read with the last invocation that saw it, and that did not.
    last_present: Option<&'h Operation>,
    last_absent: Option<&'h Operation>,
}

impl Check for SetFull {
    fn name(&self) -> &'static str {
        "set-full"
    }

    fn operations(&self) -> &'static str {
        "add of an element; read, answered with an array"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        // Where elements are removed, one that is missing is not lost.
        object.only(&["add", "read"])?;
        let reads: Vec<&Operation> = object.ok("read").collect();
        let mut seen = Vec::new();
        let mut doubled: FxHashMap<&Datum, &Operation> = FxHashMap::default();
        for read in &reads {
            let mut set = FxHashSet::default();
            for element in elements(read)? {
                if !set.insert(element) {
                    doubled.entry(element).or_insert(read);
                }
            }
            seen.push(set);
        }
        let mut adds: Vec<(&Datum, Element<'h>)> = Vec::new();
        for &add in object.operations.iter().filter(|op| op.f() == "add") {
            adds.push((add.argument(), element_of(add, &reads, &seen)));
        }
        let of = |wanted: Outcome| -> Vec<&(&Datum, Element<'_>)> {
            adds.iter().filter(|(_, element)| element.outcome() == wanted).collect()
        };
        let (stable, lost, never_read) =
            (of(Outcome::Stable), of(Outcome::Lost), of(Outcome::NeverRead));
        let mut stale: Vec<&(&Datum, Element<'_>)> =
            stable.iter().copied().filter(|(_, element)| element.stable_ms() > 0).collect();
        // Where nothing is known to be there, there is nothing to see.
        let is_asked = reads.is_empty() || never_read.iter().any(|(_, one)| one.known.is_some());
        let mut report = match stable.is_empty() && lost.is_empty() && is_asked {
            true => Report::unknown("no element was read"),
            false => Report::valid(),
        };
        report.set("attempt-count", adds.len());
        report.set("stable-count", stable.len());
        report.list("lost", lost.iter().map(|(element, _)| *element));
        report.list("never-read", never_read.iter().map(|(element, _)| *element));
        report.list("stale", stale.iter().map(|(element, _)| *element));
        report.list("duplicated", doubled.keys().copied());
        stale.sort_by_key(|(_, element)| std::cmp::Reverse(element.stable_ms()));
        let worst = |(element, of): &&(&Datum, Element<'_>)| {
            json!({"element": Value::from(*element), "stable-latency": of.stable_ms(),
                "known": of.known.map(|at| at.index),
                "last-absent": of.last_absent.map(|read| read.invoked.index)})
        };
        report.set("worst-stale", stale.iter().take(WORST).map(worst).collect::<Vec<Value>>());
        report.set("stable-latencies", quantiles(stable.iter().map(|(_, e)| e.stable_ms())));
        report.set("lost-latencies", quantiles(lost.iter().map(|(_, e)| e.lost_ms())));
        if let Some((datum, element)) = lost.first() {
            let witness = [Some(element.add), element.last_present, element.last_absent];
            report.find(Finding {
                name: "lost-element",
                count: lost.len(),
                witness: witness.into_iter().flatten().collect(),
                why: format!(
                    "{datum} was there, and no read after the last of these sees it again"
                ),
            });
        }
        let shown = reads.iter().map(|read| (read, read.result().as_array().unwrap_or_default()));
        let shown = shown.flat_map(|(read, all)| all.iter().map(move |element| (element, *read)));
        let attempts = object.attempts("add");
        let unexpected = unexplained(object, &attempts, shown);
        report.list("unexpected", unexpected.iter().map(|(element, _)| *element));
        if let Some((datum, read)) = unexpected.first() {
            let add = attempts.get(datum).and_then(|adds| adds.first());
            report.find(Finding {
                name: "unexpected-element",
                count: unexpected.len(),
                witness: add.into_iter().chain([read]).copied().collect(),
                why: format!("no add of {datum} can have happened, and it is there"),
            });
        }
        if let Some((datum, read)) = doubled.iter().min_by_key(|(_, read)| read.invoked.index) {
            report.find(Finding {
                name: "duplicate-element",
                count: doubled.len(),
                witness: vec![read],
                why: format!("{datum} is there more than once"),
            });
        }
        Ok(report)
    }
}

/// What the reads, in the order of their invocations, say of what was added.
fn element_of<'h>(
    add: &'h Operation,
    reads: &[&'h Operation],
    seen: &[FxHashSet<&Datum>],
) -> Element<'h> {
    let sees = |(_, set): &(&&'h Operation, &FxHashSet<&Datum>)| set.contains(add.argument());
    let pairs = || reads.iter().zip(seen);
    let first_seen = pairs().filter(sees).filter_map(|(read, _)| read.completed()).min();
    let acknowledged = add.completed().filter(|_| add.is_ok());
    Element {
        add,
        known: acknowledged.into_iter().chain(first_seen).min(),
        last_present: pairs().rev().find(sees).map(|(read, _)| *read),
        last_absent: pairs().rev().find(|pair| !sees(pair)).map(|(read, _)| *read),
    }
}

impl Element<'_> {
    fn outcome(&self) -> Outcome {
        let present = self.last_present.map(|read| read.invoked);
        let absent = self.last_absent.map(|read| read.invoked);
        match self.known {
            _ if present.is_some() && present > absent => Outcome::Stable,
            Some(known) if absent.is_some_and(|absent| absent > known) => Outcome::Lost,
            _ => Outcome::NeverRead,
        }
    }

    /// How long after it was known the last read missed it, in milliseconds.
    fn stable_ms(&self) -> u64 {
        self.ms_from_known(self.last_absent)
    }

    /// How long after it was known the last read saw it, in milliseconds.
    fn lost_ms(&self) -> u64 {
        self.ms_from_known(self.last_present)
    }

    fn ms_from_known(&self, read: Option<&Operation>) -> u64 {
        let until_ns = read.map_or(0, |read| read.invoked.time_ns + 1);
        let known_ns = self.known.map_or(0, |known| known.time_ns);
        until_ns.saturating_sub(known_ns) / 1_000_000
    }
}

/// Jepsen's: at the index of that part of all, rounded down.
fn quantiles(latencies_ms: impl Iterator<Item = u64>) -> Map<String, Value> {
    let mut sorted: Vec<u64> = latencies_ms.collect();
    sorted.sort_unstable();
    let at =
        |part: f64| ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    let of = |part: f64| sorted.get(at(part)).map(|ms| (part.to_string(), (*ms).into()));
    QUANTILES.into_iter().filter_map(of).collect()
}
