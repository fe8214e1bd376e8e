//! Counters: each read lies between what must have been added and what can have been (Jepsen's
//! `counter`, here with decrements too).

use serde_json::Value;

use super::report::whole;
use super::{Check, Finding, Object, Report, precedes};
use crate::history::{Completion, Moment, Operation};

/// `add` of a whole number, and `read`, answered with the sum.
pub(super) struct Counter;

impl Check for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn operations(&self) -> &'static str {
        "add of a whole number; read, answered with one"
    }

    fn is_safety(&self) -> bool {
        true
    }

    /// Additions that were over before the read began count in full, those that overlap it or are
    /// not known to have happened only where they widen the bounds. `O(n log n)`.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let initial = i128::from(object.initial.as_i64().unwrap_or(0));
        let adds = (object.operations.iter())
            .filter(|op| op.f() == "add" && op.completion() != Completion::Fail);
        let mut begun = Vec::new();
        let mut done = Vec::new();
        for &add in adds {
            let delta = i128::from(add.argument().as_i64().ok_or(add)?);
            begun.push((add.invoked, delta));
            if let (true, Some(end)) = (add.is_ok(), add.completed()) {
                done.push((end, delta));
            }
        }
        done.sort_by_key(|(end, _)| *end);
        let (begun, done) = (Sums::of(&begun), Sums::of(&done));
        let mut reads = Vec::new();
        let mut wrong = Vec::new();
        for read in object.ok("read") {
            let found = i128::from(read.result().as_i64().ok_or(read)?);
            let end = read.completed().unwrap_or(read.invoked);
            let (must, may) = (done.before(read.invoked), begun.before(end));
            // Of those that may or may not count, only the positive widen it upwards.
            let lowest = initial + must.up + may.down;
            let highest = initial + may.up + must.down;
            reads.push([lowest, found, highest]);
            if !(lowest..=highest).contains(&found) {
                wrong.push((read, [lowest, found, highest]));
            }
        }
        let rows = |rows: &mut dyn Iterator<Item = &[i128; 3]>| -> Vec<Value> {
            rows.take(48).map(|row| row.map(whole).to_vec().into()).collect()
        };
        let mut report = Report::valid();
        report.set("read-count", reads.len());
        report.set("error-count", wrong.len());
        report.set("reads", rows(&mut reads.iter()));
        report.set("errors", rows(&mut wrong.iter().map(|(_, row)| row)));
        if let Some((read, [lowest, found, highest])) = wrong.first() {
            let last = object.ok("add").filter(|add| precedes(add, read)).last();
            report.find(Finding {
                name: "counter-out-of-bounds",
                count: wrong.len(),
                witness: last.into_iter().chain([*read]).collect(),
                why: format!(
                    "{found} was read where all additions before and beside it allow only \
                     {lowest} to {highest}"
                ),
            });
        }
        Ok(report)
    }
}

/// Sums of what was added and of what was taken away, up to a moment.
struct Sums(Vec<(Moment, Both)>);

#[derive(Clone, Copy, Default)]
struct Both {
    up: i128,
    down: i128,
}

impl Sums {
    /// Of deltas in the order of their moments.
    fn of(deltas: &[(Moment, i128)]) -> Sums {
        let mut both = Both::default();
        let sum = |(at, delta): &(Moment, i128)| {
            both.up += (*delta).max(0);
            both.down += (*delta).min(0);
            (*at, both)
        };
        Sums(deltas.iter().map(sum).collect())
    }

    fn before(&self, moment: Moment) -> Both {
        let count = self.0.partition_point(|(at, _)| *at < moment);
        count.checked_sub(1).map_or(Both::default(), |last| self.0[last].1)
    }
}
