//! Histories judged by models other than the register.

use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::linearizable::Budget;
use splitbrain_checker::{Class, Judgement, KeyPlan, Options, judge};

/// A history of lines `[process, type, f, key, value]`, under a header with this vocabulary.
fn history(vocabulary: &str, lines: &[Value]) -> History {
    let mut text = json!({"splitbrain": 1, "vocabulary": vocabulary}).to_string();
    for line in lines {
        let event = json!({
            "process": line[0], "type": line[1], "f": line[2], "key": line[3], "value": line[4]
        });
        text += &format!("\n{event}");
    }
    History::read(format!("{text}\n").as_bytes()).expect("a history")
}

fn explained() -> Options {
    Options { explain: true, ..Options::default() }
}

/// Two holders of the lock of one key, and one of another.
fn held_twice(release: &str) -> Vec<Value> {
    vec![
        json!([0, "invoke", "acquire", "a", null]),
        json!([0, "ok", "acquire", "a", null]),
        json!([2, "invoke", "acquire", "b", null]),
        json!([2, "ok", "acquire", "b", null]),
        json!([0, "invoke", "release", "a", null]),
        json!([0, release, "release", "a", null]),
        json!([1, "invoke", "acquire", "a", null]),
        json!([1, "ok", "acquire", "a", null]),
    ]
}

fn classes(judgement: &Judgement) -> (Option<Class>, Option<Class>, Option<Class>) {
    (judgement.class, judgement.class_at_least, judgement.class_at_most)
}

#[test]
fn the_vocabulary_of_the_header_decides() {
    for release in ["ok", "info"] {
        let judgement = judge(&history("mutex", &held_twice(release)), &Options::default());
        assert_eq!(judgement.verdict.name(), "valid", "{release}");
        let linearizable = Some(Class::Linearizable);
        assert_eq!(classes(&judgement), (linearizable, linearizable, linearizable));
        assert!(judgement.explain.is_empty(), "nobody asked");
    }
    let judgement = judge(&history("mutex", &held_twice("fail")), &explained());
    assert_eq!(judgement.verdict.name(), "invalid");
    assert_eq!(classes(&judgement), (None, Some(Class::Corrupt), Some(Class::Eventual)));
    let [violation] = &judgement.violations[..] else { panic!("{:?}", judgement.violations) };
    assert_eq!((violation.name, violation.key.as_deref()), ("non-linearizable", Some("a")));
    assert_eq!(violation.witness, [0, 6]);
    assert_eq!(violation.because.len(), 3, "{:?}", violation.because);
    let procedure = "search: just in time over the open operations".to_owned();
    let plan = |key: &str| KeyPlan { key: Some(key.to_owned()), procedure: procedure.clone() };
    assert_eq!(judgement.explain, [plan("a"), plan("b")]);
}

#[test]
fn the_options_come_before_the_header() {
    let by = |model: &str| Options { model: model.parse().ok(), ..explained() };
    let lines = [
        json!([0, "invoke", "write", "k", "x"]),
        json!([0, "ok", "write", "k", "x"]),
        json!([0, "invoke", "read", "k", null]),
        json!([0, "ok", "read", "k", null]),
    ];
    for model in ["kv-append", "register"] {
        let judgement = judge(&history("mutex", &lines), &by(model));
        assert_eq!(judgement.verdict.name(), "invalid", "{model}");
    }
    let judgement = judge(&history("register", &lines), &by("mutex"));
    assert_eq!(judgement.reason.as_deref(), Some("event 0: write is not an operation of a mutex"));
}

#[test]
fn a_register_is_explained_too() {
    let lines = |seen: i32| {
        [
            json!([0, "invoke", "write", "k", 1]),
            json!([0, "ok", "write", "k", 1]),
            json!([0, "invoke", "read", "k", null]),
            json!([0, "ok", "read", "k", seen]),
        ]
    };
    let procedure = |seen| judge(&history("register", &lines(seen)), &explained()).explain;
    assert_eq!(procedure(1)[0].procedure, "zones: every observed value was written once");
    assert!(procedure(2)[0].procedure.starts_with("anomalies:"));
}

/// Everybody appends at once, and nobody sees what they did; `seen` is what a last get returns.
fn many_appends(count: u64, seen: &str) -> Vec<Value> {
    let append = |process: u64, kind: &str| {
        json!([process, kind, "append", "k", char::from(b'a' + process as u8).to_string()])
    };
    let mut lines: Vec<Value> = (0..count).map(|process| append(process, "invoke")).collect();
    lines.push(json!([count, "invoke", "get", "k", null]));
    lines.push(json!([count, "ok", "get", "k", seen]));
    lines
}

#[test]
fn a_budget_that_ends_leaves_the_answer_open() {
    let seen = "hgfedcbaa";
    let model = "kv-append";
    let judgement = judge(&history(model, &many_appends(8, seen)), &Options::default());
    assert_eq!(judgement.verdict.name(), "invalid");
    for (budget, limit) in [
        (Budget { comparisons: 1000, ..Budget::default() }, "comparisons"),
        (Budget { memory_bytes: 10_000, ..Budget::default() }, "memory"),
    ] {
        let options = Options { budget, ..Options::default() };
        let judgement = judge(&history(model, &many_appends(8, seen)), &options);
        let reason =
            format!("budget: key k: the limit on {limit} ended the search after 0 answers");
        assert_eq!(judgement.reason.as_deref(), Some(reason.as_str()));
        assert_eq!(judgement.verdict.name(), "unknown");
    }
}
