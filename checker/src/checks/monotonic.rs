//! Numbers that grow with time: each transaction adds one more than the greatest that it finds (the
//! `monotonic` workload of Jepsen's CockroachDB tests).

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::{Check, Finding, Object, Report, elements, precedes};
use crate::history::{Completion, Datum, Operation};

/// `add`, answered with the number that was added, with the system's own order of the transaction as
/// version if it has one; and `read`, answered with all numbers.
pub(super) struct Monotonic;

impl Check for Monotonic {
    fn name(&self) -> &'static str {
        "monotonic"
    }

    fn operations(&self) -> &'static str {
        "add, answered with a whole number; read, answered with an array of all of them"
    }

    /// The numbers are in the order of the transactions if those are in the order of time; otherwise
    /// two of them did not see each other. In `O(n log n)`.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let mut adds: Vec<(i64, &'h Operation)> = Vec::new();
        for add in object.ok("add") {
            adds.push((add.result().as_i64().ok_or(add)?, add));
        }
        let mut by: FxHashMap<i64, &Operation> = FxHashMap::default();
        let mut duplicates = Vec::new();
        for (number, add) in &adds {
            if let Some(first) = by.insert(*number, add) {
                duplicates.push((*number, vec![first, *add]));
            }
        }
        let by_time = out_of_order(&adds);
        let by_version = out_of_version(&adds);
        let mut reads = object.final_reads();
        if reads.is_empty() {
            reads.extend(object.ok("read").last());
        }
        let mut lost = Vec::new();
        let mut twice = Vec::new();
        let mut invented = Invented { initial: first_numbers(object.initial), by: &by, most: None };
        for read in &reads {
            let there = elements(read)?;
            let mut distinct: FxHashSet<&Datum> = FxHashSet::default();
            twice
                .extend(there.iter().filter(|number| !distinct.insert(number)).map(|n| (n, *read)));
            let numbers: FxHashSet<i64> = there.iter().filter_map(Datum::as_i64).collect();
            invented.hear(read, &numbers, &object.operations);
            let before = adds.iter().filter(|(_, add)| precedes(add, read));
            lost.extend(
                before.filter(|(n, _)| !numbers.contains(n)).map(|(n, add)| (*n, *add, *read)),
            );
        }
        lost.sort_by_key(|(number, add, _)| (*number, add.invoked.index));
        lost.dedup_by_key(|(number, _, _)| *number);
        let count = |end: Completion| {
            let ended = |op: &&&Operation| op.f() == "add" && op.completion() == end;
            object.operations.iter().filter(ended).count()
        };
        let mut report = match reads.is_empty() {
            true => Report::unknown("the numbers were never read"),
            false => Report::valid(),
        };
        report.set("add-count", adds.len());
        report.set("fail-count", count(Completion::Fail));
        report.set("info-count", count(Completion::Info));
        report.set("lost-count", lost.len());
        report.set("lost", numbers(lost.iter().map(|(number, _, _)| *number)));
        report.set("duplicate-count", duplicates.len().max(twice.len()));
        report.set("duplicates", numbers(duplicates.iter().map(|(number, _)| *number)));
        report.set("off-order-count", by_time.len());
        report.set("off-order-version-count", by_version.len());
        let pair = |pair: &[(i64, &Operation); 2]| Value::from(vec![pair[0].0, pair[1].0]);
        report.set("off-order", by_time.iter().take(48).map(pair).collect::<Vec<Value>>());
        if let Some((number, add, read)) = lost.first() {
            let why = format!("{number} was acknowledged, and it is not there");
            let witness = vec![*add, *read];
            report.find(Finding { name: "lost-element", count: lost.len(), witness, why });
        }
        if let Some((read, unknown, silent)) = invented.most {
            let answers = unknown.iter().take(3).map(i64::to_string).collect::<Vec<_>>().join(", ");
            let only = match silent {
                0 => String::new(),
                1 => ", and only one never answered".to_owned(),
                silent => format!(", and only {silent} never answered"),
            };
            let why = format!("no addition before was answered with {answers}{only}");
            let count = unknown.len() - silent;
            report.find(Finding { name: "unexpected-element", count, witness: vec![read], why });
        }
        if let Some((number, witness)) = duplicates.first() {
            report.find(Finding {
                name: "duplicate-element",
                count: duplicates.len(),
                witness: witness.clone(),
                why: format!("{number} was added twice, so neither transaction saw the other"),
            });
        } else if let Some((number, read)) = twice.first() {
            report.find(Finding {
                name: "duplicate-element",
                count: twice.len(),
                witness: vec![read],
                why: format!("{number} is there more than once"),
            });
        }
        for (name, pairs, order) in [
            ("off-order", &by_time, "was over before the other began"),
            ("off-order-version", &by_version, "comes first in the system's own order"),
        ] {
            if let Some([(one, first), (other, second)]) = pairs.first() {
                report.find(Finding {
                    name,
                    count: pairs.len(),
                    witness: vec![first, second],
                    why: format!("the addition of {one} {order}, and {other} is not greater"),
                });
            }
        }
        Ok(report)
    }
}

type Pair<'h> = [(i64, &'h Operation); 2];

/// Numbers that are there and that nobody can have added.
struct Invented<'a, 'h> {
    initial: FxHashSet<i64>,
    /// The additions that were answered, by their numbers.
    by: &'a FxHashMap<i64, &'h Operation>,
    /// The read that shows most of them, the numbers of unknown origin, and how many additions there
    /// were beside or before it of which nobody knows the number.
    most: Option<(&'h Operation, Vec<i64>, usize)>,
}

impl<'h> Invented<'_, 'h> {
    /// Each transaction adds one number, whether it was answered or not.
    fn hear(&mut self, read: &'h Operation, there: &FxHashSet<i64>, all: &[&'h Operation]) {
        let is_known = |number: &i64| {
            let add = self.by.get(number);
            self.initial.contains(number) || add.is_some_and(|add| !precedes(read, add))
        };
        let mut unknown: Vec<i64> = there.iter().copied().filter(|n| !is_known(n)).collect();
        unknown.sort_unstable();
        let may_be = |op: &&&Operation| op.f() == "add" && op.completion() == Completion::Info;
        let silent = all.iter().filter(may_be).filter(|add| !precedes(read, add)).count();
        let most = self.most.as_ref().map_or(0, |(_, unknown, silent)| unknown.len() - silent);
        if unknown.len().saturating_sub(silent) > most {
            self.most = Some((read, unknown, silent));
        }
    }
}

/// The numbers that were there at first, one or an array.
fn first_numbers(initial: &Value) -> FxHashSet<i64> {
    let one = std::slice::from_ref(initial);
    let all = initial.as_array().map_or(one, Vec::as_slice);
    all.iter().filter_map(Value::as_i64).collect()
}

/// Additions that began after one of a greater number was over, each with the greatest of those.
fn out_of_order<'h>(adds: &[(i64, &'h Operation)]) -> Vec<Pair<'h>> {
    let mut begun = adds.to_vec();
    begun.sort_by_key(|(_, add)| add.invoked);
    let mut over = adds.to_vec();
    over.sort_by_key(|(_, add)| add.completed());
    let mut over = over.into_iter().peekable();
    let mut greatest: Option<(i64, &Operation)> = None;
    let mut pairs = Vec::new();
    for (number, add) in begun {
        while let Some(before) = over.next_if(|(_, other)| precedes(other, add)) {
            greatest = greatest.filter(|greatest| greatest.0 >= before.0).or(Some(before));
        }
        pairs.extend(
            greatest.filter(|before| before.0 > number).map(|before| [before, (number, add)]),
        );
    }
    pairs
}

/// Neighbours in the system's own order whose numbers do not grow.
fn out_of_version<'h>(adds: &[(i64, &'h Operation)]) -> Vec<Pair<'h>> {
    let mut versioned: Vec<(u64, (i64, &Operation))> =
        adds.iter().filter_map(|add| Some((add.1.version()?, *add))).collect();
    versioned.sort_by_key(|(version, _)| *version);
    let pairs = versioned.windows(2).filter(|pair| pair[0].1.0 > pair[1].1.0);
    pairs.map(|pair| [pair[0].1, pair[1].1]).collect()
}

fn numbers(numbers: impl Iterator<Item = i64>) -> Vec<Value> {
    numbers.take(48).map(Value::from).collect()
}
