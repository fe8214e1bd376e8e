//! What the page draws: columns rather than objects, since there may be a hundred thousand rows.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};
use splitbrain_checker::history::{Completion, Datum, History, Moment, NodeId, Operation};
use splitbrain_checker::{Effect, Judgement, faults as of_history};
use splitbrain_nemesis::Capability;
use splitbrain_nemesis::faults::Choice;

/// More operations than this make a page that nobody waits for.
const MOST: usize = 150_000;
/// Longer values are cut: they are there to be looked at.
const LONGEST_VALUE: usize = 60;

/// Which operations the page shows, by position: all, or of many those of the keys that were
/// violated, as far as that goes, and an even choice of the others.
pub fn chosen(history: &History, judgement: &Judgement) -> Vec<usize> {
    let operations = history.operations();
    if operations.len() <= MOST {
        return (0..operations.len()).collect();
    }
    let witness: HashSet<u64> =
        judgement.violations.iter().flat_map(|one| one.witness.iter().copied()).collect();
    let keys: HashSet<_> = operations
        .iter()
        .filter(|one| witness.contains(&one.invoked.index))
        .map(|one| one.key)
        .collect();
    let of_keys = operations.iter().filter(|one| keys.contains(&one.key)).count();
    let all_of_keys = of_keys <= MOST / 2;
    let stride = operations.len().div_ceil(MOST / 2);
    let wanted = |(at, one): &(usize, &Operation)| {
        witness.contains(&one.invoked.index)
            || (all_of_keys && keys.contains(&one.key))
            || at % stride == 0
    };
    operations.iter().enumerate().filter(wanted).map(|(at, _)| at).collect()
}

/// The names of operations, in order.
pub fn names(history: &History, keep: &[usize]) -> Vec<String> {
    let all: BTreeSet<&str> = keep.iter().map(|at| history.operations()[*at].f()).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// The operations: `invoked` and `index` as differences to the one before, times in microseconds,
/// `took` -1 where nothing completed it, `late` how long after it was due it began.
pub fn operations(history: &History, keep: &[usize]) -> Value {
    let names = names(history, keep);
    let all = || keep.iter().map(|at| &history.operations()[*at]);
    let us = |ns: u64| ns / 1_000;
    let deltas = |of: &dyn Fn(&Operation) -> u64| -> Vec<i64> {
        let mut before = 0;
        all()
            .map(|one| {
                let value = of(one) as i64;
                std::mem::replace(&mut before, value).abs_diff(value) as i64
            })
            .collect()
    };
    let took = |one: &Operation| {
        one.completed().map_or(-1, |end| (us(end.time_ns) - us(one.invoked.time_ns)) as i64)
    };
    let kind = |one: &Operation| match one.completion() {
        Completion::Ok => 'o',
        Completion::Fail => 'f',
        Completion::Info => 'i',
    };
    let result = |one: &Operation| match one.is_read() {
        true => short(one.result()),
        false => Value::Null,
    };
    let which = |of: fn(&Operation) -> bool| -> Vec<usize> {
        all().enumerate().filter(|(_, one)| of(one)).map(|(at, _)| at).collect()
    };
    json!({
        "invoked": deltas(&|one| us(one.invoked.time_ns)),
        "index": deltas(&|one| one.invoked.index),
        "took": all().map(took).collect::<Vec<_>>(),
        "late": all().map(|one| us(one.invoked.time_ns).saturating_sub(us(one.due_ns))).collect::<Vec<_>>(),
        "kind": all().map(kind).collect::<String>(),
        "client": all().map(|one| one.client().map_or(one.process, u64::from)).collect::<Vec<_>>(),
        "node": all().map(|one| one.node().map_or(-1, |node| i64::from(node.0))).collect::<Vec<_>>(),
        "f": all().map(|one| names.binary_search_by(|name| name.as_str().cmp(one.f())).ok()).collect::<Vec<_>>(),
        "key": all().map(|one| one.key.0).collect::<Vec<_>>(),
        "argument": all().map(|one| short(one.argument())).collect::<Vec<_>>(),
        "result": all().map(result).collect::<Vec<_>>(),
        "probes": which(Operation::probe),
        "mismatches": which(|one| one.is_answered() && !one.is_ok()),
    })
}

fn short(value: &Datum) -> Value {
    let text = match value {
        Datum::Text(_) | Datum::List(_) | Datum::Steps(_) | Datum::Object(_) => value.to_string(),
        _ => String::new(),
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}...", &text[..at]).into(),
        None => value.into(),
    }
}

/// The faults with the times in milliseconds from when to when each was in force; null for those
/// that never were.
pub fn faults(history: &History) -> Value {
    let ms = |moment: Moment| moment.time_ns as f64 / 1e6;
    let names =
        |nodes: &[NodeId]| nodes.iter().map(|node| history[*node].clone()).collect::<Vec<_>>();
    of_history(history)
        .iter()
        .map(|fault| {
            let in_force = fault.in_force(history).filter(|_| fault.effect != Effect::Skipped);
            json!({
                "id": fault.id,
                "name": fault.name,
                "kind": kind(&fault.name),
                "from_ms": in_force.map(|(from, _)| ms(from)),
                "to_ms": in_force.map(|(_, to)| ms(to)),
                "sides": fault.sides.iter().map(|side| names(side)).collect::<Vec<_>>(),
                "targets": names(&fault.targets),
            })
        })
        .collect()
}

/// What is broken, which is the colour.
fn kind(fault: &str) -> &'static str {
    let Ok(Choice { fault, .. }) = Choice::named(fault) else { return "other" };
    match fault.needs {
        Capability::Links => "partition",
        Capability::Shaping | Capability::Packets => "link",
        Capability::Processes if fault.name == "pause" => "pause",
        Capability::Processes => "kill",
        Capability::Limits => "pause",
        Capability::Clocks => "clock",
        Capability::Disks => "disk",
        Capability::Members => "member",
    }
}

/// Who led and who was down from when on: milliseconds, leaders, nodes that were down, as positions
/// among the nodes.
pub fn roles(history: &History) -> Vec<Value> {
    let places = |names: &Value| -> Vec<u32> {
        let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.filter_map(|name| history.node_id(name)).map(|node| node.0).collect()
    };
    let notes = history.notes().iter().filter(|note| note.f == "roles");
    notes
        .map(|note| {
            let ms = note.time as f64 / 1e6;
            json!([ms, places(&note.value["leader"]), places(&note.value["down"])])
        })
        .collect()
}
