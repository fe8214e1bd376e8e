//! Laws that hold for every history, on random ones: metamorphic rules, and the definitions taken
//! literally as slow twins.

use proptest::prelude::*;
use serde_json::{Value, json};
use splitbrain_checker::history::{Completion, Datum, Event, History, Kind, Operation, Process};
use splitbrain_checker::linearizable::{
    Budget, Call, Outcome, RegisterOp, ValueId, check_register,
};
use splitbrain_checker::{Class, Judgement, Options, Rung, judge};

/// Makes a well-formed history of any choices: each says which of four clients goes on, and how.
fn events(choices: &[(usize, u8, u8)], unique_writes: bool) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut processes: Vec<u64> = (0..4).collect();
    let mut open: Vec<Option<Event>> = vec![None; 4];
    for (at, (client, how, value)) in choices.iter().enumerate() {
        let index = at as u64;
        let event = |kind, f: &str, key: &Option<String>, value: Value| {
            let process = Process::Client(processes[*client]);
            let mut event = Event::new(index, 10 * index, kind, process, f.to_owned());
            event.key.clone_from(key);
            event.value = value;
            event
        };
        let written = match value % 4 {
            _ if unique_writes => json!(100 + at),
            0 => Value::Null,
            value => json!(value),
        };
        let event = match open[*client].take() {
            None => {
                let key = Some(if how & 8 == 0 { "a" } else { "b" }.to_owned());
                let invocation = match how % 8 {
                    0..=3 => event(Kind::Invoke, "read", &key, Value::Null),
                    4..=6 => event(Kind::Invoke, "write", &key, written),
                    _ => event(Kind::Invoke, "cas", &key, json!([seen(&events, *value), written])),
                };
                open[*client] = Some(invocation.clone());
                invocation
            }
            Some(invocation) => {
                let kind = match how % 16 {
                    0 => Kind::Fail,
                    1 | 2 => Kind::Info,
                    _ => Kind::Ok,
                };
                let result = match (invocation.f.as_ref(), kind) {
                    ("read", Kind::Ok) => seen(&events, *value),
                    _ => invocation.value,
                };
                let completion = event(kind, &invocation.f, &invocation.key, result);
                if kind == Kind::Info {
                    processes[*client] += 4;
                }
                completion
            }
        };
        events.push(event);
    }
    events
}

/// Null, or one of the last values that someone tried to write.
fn seen(events: &[Event], choice: u8) -> Value {
    let last = |event: &Event| match event.f.as_ref() {
        "write" => event.value.clone(),
        "cas" => event.value[1].clone(),
        _ => Value::Null,
    };
    let mut written: Vec<Value> = events
        .iter()
        .filter(|event| event.kind == Kind::Invoke && event.f != "read")
        .map(last)
        .collect();
    written.reverse();
    written.get(usize::from(choice % 4)).cloned().unwrap_or(Value::Null)
}

fn choices() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    prop::collection::vec((0..4_usize, any::<u8>(), any::<u8>()), 0..24)
}

fn history(events: Vec<Event>) -> History {
    History::from_events(None, events).expect("well-formed")
}

fn judged(events: Vec<Event>) -> Judgement {
    judge(&history(events), &Options::default())
}

/// What no renaming may change.
#[derive(Debug, PartialEq)]
struct Gist {
    verdict: &'static str,
    class: (Option<Class>, Option<Class>),
    violations: Vec<(&'static str, u64)>,
}

fn gist(judgement: &Judgement) -> Gist {
    Gist {
        verdict: judgement.verdict.name(),
        class: (judgement.class_at_least, judgement.class_at_most),
        violations: judgement.violations.iter().map(|v| (v.name, v.count)).collect(),
    }
}

/// One key's operations as they stand: nothing that may have happened is left out.
fn unprepared(history: &History, key: &str) -> Vec<RegisterOp> {
    let mut values = vec![Datum::Null];
    let mut id = |value: &Datum| {
        let at = values.iter().position(|known| known == value).unwrap_or_else(|| {
            values.push(value.clone());
            values.len() - 1
        });
        ValueId(at as u32)
    };
    let mut ops = Vec::new();
    for operation in history.operations() {
        let returned = operation.completed().filter(|_| operation.is_ok()).map(|at| at.index);
        let call = match (operation.f(), operation.completion()) {
            (_, Completion::Fail) | ("read", Completion::Info) => continue,
            ("read", _) => Call::Read(id(operation.result())),
            ("write", _) => Call::Write(id(operation.argument())),
            _ => Call::Cas(id(&operation.argument()[0]), id(&operation.argument()[1])),
        };
        if history[operation.key].as_deref() == Some(key) {
            ops.push(RegisterOp { call, invoked: operation.invoked.index, returned });
        }
    }
    ops
}

/// The definition of a stale read, word by word, for values that are written once.
fn stale_reads(history: &History) -> u64 {
    let operations = history.operations();
    let reads = operations.iter().filter(|read| read.is_ok() && read.f() != "write");
    let value = |read: &Operation| match read.f() {
        "read" => read.result().clone(),
        _ => read.argument()[0].clone(),
    };
    let written = |write: &Operation| match write.f() {
        "write" => Some(write.argument().clone()),
        "cas" => Some(write.argument()[1].clone()),
        _ => None,
    };
    let is_stale = |read: &&Operation| {
        let on_key = |other: &&Operation| other.key == read.key;
        let value = value(read);
        let source = operations
            .iter()
            .filter(on_key)
            .find(|w| written(w).as_ref() == Some(&value) && w.completion() != Completion::Fail);
        let completed = match source {
            None if value.is_null() => Some(None),
            None => None,
            Some(write) if write.is_ok() => Some(write.completed().map(|at| at.index)),
            // A write without acknowledgement completes at the first answer that shows it.
            Some(_) => operations
                .iter()
                .filter(on_key)
                .filter(|other| other.is_ok() && other.f() != "write" && eq(other, &value))
                .filter_map(|other| other.completed().map(|at| Some(at.index)))
                .min(),
        };
        let Some(completed) = completed else { return false };
        operations.iter().filter(on_key).any(|newer| {
            let began_after = completed.is_none_or(|at| newer.invoked.index > at);
            let acknowledged = newer.completed().filter(|_| newer.is_ok() && newer.f() != "read");
            began_after && acknowledged.is_some_and(|at| at.index < read.invoked.index)
        })
    };
    reads.filter(is_stale).count() as u64
}

fn eq(read: &Operation, value: &Datum) -> bool {
    if read.f() == "read" { read.result() == value } else { read.argument()[0] == *value }
}

fn count(judgement: &Judgement, name: &str) -> u64 {
    judgement.violations.iter().find(|v| v.name == name).map_or(0, |violation| violation.count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn names_of_processes_do_not_matter(choices in choices(), unique in any::<bool>()) {
        let events = events(&choices, unique);
        let mut renamed = events.clone();
        for event in &mut renamed {
            if let Process::Client(number) = &mut event.process {
                *number = 1_000 - *number * 7;
            }
        }
        prop_assert_eq!(gist(&judged(events)), gist(&judged(renamed)));
    }

    #[test]
    fn the_hour_does_not_matter(choices in choices(), shift in 0..1_u64 << 40, gap in 1..50_u64) {
        let events = events(&choices, false);
        let mut shifted = events.clone();
        for event in &mut shifted {
            event.time += shift;
            event.index = event.index * gap + shift;
        }
        prop_assert_eq!(gist(&judged(events)), gist(&judged(shifted)));
    }

    #[test]
    fn a_failed_write_of_a_fresh_value_changes_nothing(
        choices in choices(), unique in any::<bool>(), from in 0..24_usize, until in 0..24_usize,
    ) {
        let events = events(&choices, unique);
        let mut with = events.clone();
        let from = from.min(with.len());
        let mut write = Event::new(0, 0, Kind::Invoke, Process::Client(999), "write");
        write.key = Some("a".to_owned());
        write.value = json!("fresh");
        let failed = Event { kind: Kind::Fail, ..write.clone() };
        with.insert(from, write);
        with.insert((from + 1 + until).min(with.len()), failed);
        for (at, event) in with.iter_mut().enumerate() {
            event.index = at as u64;
            event.time = at as u64;
        }
        prop_assert_eq!(gist(&judged(events)), gist(&judged(with)));
    }

    #[test]
    fn a_history_is_linearizable_iff_each_key_is(choices in choices(), unique in any::<bool>()) {
        let events = events(&choices, unique);
        let of_key = |key: &str| {
            let mine = |event: &&Event| event.key.as_deref() == Some(key);
            judged(events.iter().filter(mine).cloned().collect())
        };
        let all = judged(events.clone()).violations.is_empty();
        prop_assert_eq!(all, ["a", "b"].iter().all(|key| of_key(key).violations.is_empty()));
    }

    #[test]
    fn an_answer_that_got_lost_proves_no_more(
        choices in choices(), unique in any::<bool>(), which in any::<prop::sample::Index>(),
    ) {
        let events = events(&choices, unique);
        let answers: Vec<usize> =
            (0..events.len()).filter(|at| events[*at].kind == Kind::Ok).collect();
        if answers.is_empty() {
            return Ok(());
        }
        let lost = answers[which.index(answers.len())];
        let mut with = events.clone();
        with[lost].kind = Kind::Info;
        let process = with[lost].process;
        for event in with[lost + 1..].iter_mut().filter(|event| event.process == process) {
            event.process = Process::Client(500);
        }
        let (before, after) = (judged(events), judged(with));
        prop_assert!(!before.violations.is_empty() || after.violations.is_empty());
    }

    #[test]
    fn names_and_shortcuts_agree_with_the_bare_engine(choices in choices(), unique in any::<bool>()) {
        let history = history(events(&choices, unique));
        let judgement = judge(&history, &Options::default());
        let linearizable = ["a", "b"].iter().all(|key| {
            let ops = unprepared(&history, key);
            match check_register(ValueId(0), &ops, &Budget::default()) {
                Outcome::Linearizable => true,
                Outcome::NotLinearizable { .. } => false,
                exhausted => panic!("{exhausted:?}"),
            }
        });
        prop_assert_eq!(judgement.violations.is_empty(), linearizable);
        if history.operations().iter().any(Operation::is_ok) {
            prop_assert_eq!(judgement.ladder[&Rung::Linearizable].is_valid(), linearizable);
            prop_assert_eq!(judgement.verdict.is_invalid(), !linearizable);
        }
    }

    #[test]
    fn stale_reads_are_those_of_the_definition(choices in choices()) {
        let history = history(events(&choices, true));
        let judgement = judge(&history, &Options::default());
        prop_assert_eq!(count(&judgement, "stale-read"), stale_reads(&history));
    }
}
