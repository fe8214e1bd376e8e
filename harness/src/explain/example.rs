//! Examples as people read them: a line for each operation, `client: f key value, from-to`.
//!
//! ```text
//! of bank {"0":50,"1":50}        (the workload, and what there is at first; registers if not said)
//! 0 at n1: write x 1     1-2
//! 1 at n2: read x -      3-4    (`-` is null: nothing had been written)
//! 1 at n2: write x 2     5-6 fail
//! 0 at n1: txn - [["r",1,[2]]] 7-8   (a transaction has no key)
//! 1 at n1: echo - 5=>6 7-8       (where what came back does not say what was asked for)
//! finally                        (what follows was read when all had come to rest)
//! ```

use serde_json::{Value, json};

/// The history that an example stands for, as JSON lines.
///
/// # Panics
/// If it is not written as above; the examples are part of the program.
pub fn history(example: &str) -> String {
    let mut events: Vec<(u64, Value)> = Vec::new();
    let ns = |second: &str| second.parse::<u64>().expect("a whole second") * 1_000_000_000;
    let mut last = 0;
    let (mut vocabulary, mut initial) = (Value::Null, Value::Null);
    for line in example.trim().lines() {
        if let Some(of) = line.trim().strip_prefix("of ") {
            let (workload, first) = of.split_once(' ').unwrap_or((of, "null"));
            (vocabulary, initial) = (json!(workload), first.parse().expect("a value"));
            continue;
        }
        if line.trim() == "finally" {
            let phase =
                json!({ "type": "info", "process": "harness", "f": "phase", "value": "final" });
            events.push((last + 1, phase));
            continue;
        }
        let (who, what) = line.split_once(':').expect("client: operation");
        let (client, node) = who.split_once(" at ").expect("client at node");
        let words: Vec<&str> = what.split_whitespace().collect();
        let [f, key, value, times, end @ ..] = &words[..] else { panic!("{line}") };
        let (told, value) = value.split_once("=>").map_or((None, *value), |(a, b)| (Some(a), b));
        let parsed = |text: &str| match text {
            "-" => Value::Null,
            _ => text.parse().expect("a number or steps"),
        };
        let value: Value = parsed(value);
        let process: u64 = client.trim().parse().expect("a number");
        let (from, to) = times.split_once('-').expect("from-to");
        let argument = match (*f, told) {
            (_, Some(told)) => parsed(told),
            ("read" | "read-init" | "watch" | "dequeue" | "drain" | "generate", None) => {
                Value::Null
            }
            _ => unread(value.clone()),
        };
        let argument = &argument;
        let key = (*key != "-").then_some(*key);
        let event = |kind: &str, value: &Value| json!({ "type": kind, "process": process, "f": f, "key": key, "value": value, "node": node.trim() });
        events.push((ns(from), event("invoke", argument)));
        events.push((ns(to), event(end.first().copied().unwrap_or("ok"), &value)));
        last = last.max(ns(to));
    }
    events.sort_by_key(|(time, _)| *time);
    let nodes = ["n1", "n2", "n3"];
    let mut header = json!({ "splitbrain": 1, "nodes": nodes, "session_order_only": false });
    for (name, value) in [("vocabulary", vocabulary), ("initial", initial)] {
        if !value.is_null() {
            header[name] = value;
        }
    }
    let lines = events.into_iter().map(|(time, mut event)| {
        event["time"] = json!(time);
        event
    });
    [header].into_iter().chain(lines).map(|line| format!("{line}\n")).collect()
}

/// The steps of a transaction before what they read is known.
fn unread(mut value: Value) -> Value {
    for step in value.as_array_mut().into_iter().flatten() {
        match step[0].as_str() {
            Some("r") => step[2] = Value::Null,
            Some("poll") => *step = json!(["poll"]),
            Some("send") => step[2] = step[2][1].take(),
            _ => {}
        }
    }
    value
}

/// The example as it is shown.
pub fn shown(example: &str) -> String {
    example.trim().lines().map(|line| format!("    {}\n", line.trim())).collect()
}
