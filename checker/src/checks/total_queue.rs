//! Queues in which nothing is lost: what was enqueued comes out, and nothing else does (Jepsen's
//! `total-queue`).

use rustc_hash::FxHashMap;

use super::{Check, Finding, Object, Report, may_explain, precedes};
use crate::history::{Completion, Datum, Operation};

/// `enqueue` of a value, `dequeue`, answered with one, or with null where there is none, and
/// `drain`, answered with an array of all that is left.
pub(super) struct TotalQueue;

impl Check for TotalQueue {
    fn name(&self) -> &'static str {
        "total-queue"
    }

    fn operations(&self) -> &'static str {
        "enqueue of a value; dequeue, answered with one or null; drain, answered with an array"
    }

    /// That a value comes out more often than it was put in is wrong here, and only told by Jepsen.
    /// Whoever took a value without telling took one at most, and a drain any number. So values
    /// are lost for certain only if there are more of them than such takers.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["enqueue", "dequeue", "drain"])?;
        let mut values: FxHashMap<&'h Datum, Value<'h>> = FxHashMap::default();
        let mut silent_takers = 0;
        let mut drained: Option<&Operation> = None;
        for &op in &object.operations {
            match (op.f(), op.completion()) {
                ("enqueue", end) => {
                    let value = values.entry(op.argument()).or_default();
                    value.attempts.push(op);
                    value.may_be += usize::from(end != Completion::Fail);
                    value.acknowledged += usize::from(op.is_ok());
                }
                ("dequeue", Completion::Ok) if op.result().is_null() => {
                    drained = drained.filter(|seen| seen.f() == "drain").or(Some(op));
                }
                ("dequeue", Completion::Ok) => {
                    values.entry(op.result()).or_default().taken.push(op);
                    // So who found nothing before may have been told wrong.
                    drained = drained.filter(|seen| seen.f() == "drain");
                }
                ("drain", Completion::Ok) => {
                    for value in op.result().as_array().ok_or(op)? {
                        values.entry(value).or_default().taken.push(op);
                    }
                    drained = Some(op);
                }
                ("dequeue", Completion::Info) => silent_takers += 1,
                ("drain", Completion::Info) => silent_takers = usize::MAX / 2,
                _ => {}
            }
        }
        let mut values: Vec<(&Datum, Value<'_>)> = values.into_iter().collect();
        values.sort_by_key(|(_, value)| value.all().map(|op| op.invoked.index).min());
        let unexpected = of(&values, |value| {
            value.taken.iter().any(|taker| !may_explain(&value.attempts, taker))
        });
        let duplicated = of(&values, |value| value.may_be > 0 && value.taken.len() > value.may_be);
        // As many times as it was put in before the queue was seen empty, less what came out.
        let times_missing = |value: &Value<'_>| {
            let acknowledged = value.attempts.iter().filter(|op| op.is_ok());
            let before = acknowledged.filter(|op| drained.is_some_and(|drain| precedes(op, drain)));
            before.count().saturating_sub(value.taken.len())
        };
        let missing: Values<'_, 'h> = (values.iter())
            .flat_map(|value| std::iter::repeat_n(value, times_missing(&value.1)))
            .collect();
        let mut report = Report::valid();
        if drained.is_none() {
            report =
                Report::unknown("the queue was never seen empty, so what is missing may be in it");
        } else if !missing.is_empty() && missing.len() <= silent_takers {
            report = Report::unknown(format!(
                "missing: {}, which operations that never answered may have taken",
                missing.len()
            ));
        }
        let sum = |of: fn(&Value<'_>) -> usize| -> usize {
            values.iter().map(|(_, value)| of(value)).sum()
        };
        report.set("attempt-count", sum(|value| value.attempts.len()));
        report.set("acknowledged-count", sum(|value| value.acknowledged));
        report.set("ok-count", sum(|value| value.taken.len().min(value.may_be)));
        report.set(
            "recovered-count",
            sum(|value| value.taken.len().min(value.may_be).saturating_sub(value.acknowledged)),
        );
        report.list("lost", missing.iter().map(|(value, _)| *value));
        report.list("unexpected", unexpected.iter().map(|(value, _)| *value));
        report.list("duplicated", duplicated.iter().map(|(value, _)| *value));
        if let (Some((datum, value)), Some(drain)) = (missing.first(), drained)
            && missing.len() > silent_takers
        {
            let never = if silent_takers > 0 {
                format!(", and only {silent_takers} that never answered may have taken one")
            } else {
                String::new()
            };
            let others = match missing.len() - 1 {
                0 => String::new(),
                1 => ", and neither did one other".to_owned(),
                others => format!(", and neither did {others} others"),
            };
            report.find(Finding {
                name: "lost-message",
                count: missing.len() - silent_takers,
                witness: value.all().chain([drain]).collect(),
                why: format!("{datum} was acknowledged and never came out{others}{never}"),
            });
        }
        if let Some((datum, value)) = unexpected.first() {
            report.find(Finding {
                name: "unexpected-message",
                count: unexpected.len(),
                witness: value.all().collect(),
                why: format!("{datum} came out, and nobody can have put it in"),
            });
        }
        if let Some((datum, value)) = duplicated.first() {
            let (out, times) = (value.taken.len(), value.may_be);
            report.find(Finding {
                name: "duplicate-message",
                count: duplicated.len(),
                witness: value.all().collect(),
                why: format!(
                    "{datum} came out more often ({out}) than it can have been put in ({times})"
                ),
            });
        }
        Ok(report)
    }
}

/// What happened to one value.
#[derive(Default)]
struct Value<'h> {
    attempts: Vec<&'h Operation>,
    /// Of the attempts those that may have happened.
    may_be: usize,
    acknowledged: usize,
    taken: Vec<&'h Operation>,
}

impl<'h> Value<'h> {
    fn all(&self) -> impl Iterator<Item = &'h Operation> + '_ {
        self.attempts.iter().chain(&self.taken).copied()
    }
}

type Values<'a, 'h> = Vec<&'a (&'h Datum, Value<'h>)>;

fn of<'a, 'h>(
    values: &'a [(&'h Datum, Value<'h>)],
    wanted: impl Fn(&Value<'h>) -> bool,
) -> Values<'a, 'h> {
    values.iter().filter(|(_, value)| wanted(value)).collect()
}
