//! Histories judged by models other than the register.

use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::linearizable::Budget;
use splitbrain_checker::{Class, Judgement, KeyPlan, Options, VOCABULARIES, judge};

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
    let procedure = "turns: what is due first is done first".to_owned();
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
    assert_eq!(
        judgement.reason.as_deref(),
        Some(
            "event 0: expected an operation of a mutex: acquire, release, found write \"x\", answered with \"x\""
        )
    );
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

/// One operation of each vocabulary after another, by one process; the last answer is right or
/// wrong.
#[test]
fn every_vocabulary_is_judged() {
    let cases = [
        (
            "kv-append",
            json!([["append", "x", "x"], ["put", "y", "y"], ["append", "z", "z"]]),
            "get",
        ),
        (
            "fifo-queue",
            json!([["enqueue", 1, 1], ["enqueue", 2, 2], ["dequeue", null, 1]]),
            "dequeue",
        ),
        ("unordered-queue", json!([["enqueue", 1, 1], ["enqueue", 2, 2]]), "dequeue"),
        ("stack", json!([["push", 1, 1], ["push", 2, 2], ["pop", null, 2]]), "pop"),
        ("set", json!([["add", 1, 1], ["add", "b", "b"], ["read", null, ["b", 1]]]), "read"),
        ("set-full", json!([["add", 1, 1], ["contains", 1, true], ["remove", 1, 1]]), "read"),
        ("list-append", json!([["append", 1, 1], ["append", 2, 2]]), "read"),
        (
            "priority-queue",
            json!([["insert", 10, 10], ["insert", 9, 9], ["delete-min", null, 9]]),
            "delete-min",
        ),
        ("counter", json!([["add", 5, 5], ["add", -7, -7]]), "read"),
        (
            "multi-register",
            json!([["txn", [["w", "x", 1], ["r", "y", null]], [["w", "x", 1], ["r", "y", null]]]]),
            "txn",
        ),
    ];
    let answers = [
        (json!("yz"), json!("zy")),
        (json!(2), json!(1)),
        (json!(1), json!(null)),
        (json!(1), json!(null)),
        (json!([1, "b"]), json!([1])),
        (json!([]), json!([1])),
        (json!([1, 2]), json!([2, 1])),
        (json!(10), json!(9)),
        (json!(-2), json!(5)),
        (json!([["r", "x", 1]]), json!([["r", "x", null]])),
    ];
    for ((vocabulary, calls, f), (right, wrong)) in cases.into_iter().zip(answers) {
        for (answer, verdict) in [(right, "valid"), (wrong, "invalid")] {
            let question = if f == "txn" { json!([["r", "x", null]]) } else { Value::Null };
            let mut lines = Vec::new();
            for call in
                calls.as_array().expect("calls").iter().chain([&json!([f, question, answer])])
            {
                lines.push(json!([0, "invoke", call[0], null, call[1]]));
                lines.push(json!([0, "ok", call[0], null, call[2]]));
            }
            let judgement = judge(&history(vocabulary, &lines), &Options::default());
            assert_eq!(judgement.verdict.name(), verdict, "{vocabulary} {:?}", judgement.reason);
        }
    }
}

/// Which procedure answers, where the conditions of the fast one are met and where they are not.
#[test]
fn the_cheapest_procedure_that_fits_is_used() {
    let search = "search: just in time over the open operations";
    let once = |vocabulary: &str, lines: &[Value], procedure: &str| {
        let judgement = judge(&history(vocabulary, lines), &explained());
        assert_eq!(judgement.explain.len(), 1);
        assert_eq!(judgement.explain[0].procedure, procedure, "{vocabulary}");
        assert_eq!(judgement.verdict.name(), "valid");
    };
    let call =
        |process: u64, kind: &str, f: &str, value: Value| json!([process, kind, f, "k", value]);
    for (vocabulary, f, sweep) in [
        ("fifo-queue", "enqueue", "sweep: every element was put in once"),
        ("unordered-queue", "enqueue", "sweep: every element was put in once"),
        ("stack", "push", "sweep: every element was put in once"),
        ("priority-queue", "insert", "sweep: every element was put in once"),
        ("set", "add", "levels: every element was added once"),
        (
            "list-append",
            "append",
            "levels: every element was appended once, the longest read has their order",
        ),
    ] {
        let mut lines: Vec<Value> = [1, 1]
            .iter()
            .flat_map(|value| ["invoke", "ok"].map(|kind| call(0, kind, f, json!(value))))
            .collect();
        once(vocabulary, &lines, search);
        (2..4).for_each(|at| lines[at][4] = json!(2));
        once(vocabulary, &lines, sweep);
    }
    let cases = [
        ("mutex", "acquire", "turns: what is due first is done first"),
        ("reentrant-mutex", "acquire", search),
        ("counter", "add", search),
        ("set-full", "add", search),
    ];
    for (vocabulary, f, procedure) in cases {
        once(vocabulary, &["invoke", "ok"].map(|kind| call(0, kind, f, json!(1))), procedure);
    }
    let acquired = [call(0, "invoke", "acquire", Value::Null), call(0, "ok", "acquire", json!(7))];
    once("fenced-mutex", &acquired, "turns: in the order of the tokens");
    let never_read = ["invoke", "info"].map(|kind| call(0, kind, "write", json!(1)));
    let read = ["invoke", "ok"].map(|kind| call(1, kind, "read", Value::Null));
    once("versioned-register", &[&never_read[..], &read].concat(), search);
}

/// An operation that no object has names what each of them has.
#[test]
fn every_model_says_which_operations_it_has() {
    // Statistics are of any operations.
    for model in VOCABULARIES.iter().filter(|model| **model != "stats") {
        let options = Options { model: model.parse().ok(), ..Options::default() };
        let lines = [json!([0, "invoke", "brew", "k", "x"]), json!([0, "ok", "brew", "k", null])];
        let misfit = judge(&history("", &lines), &options).misfit.expect("no such operation");
        let object = if *model == "cas-register" { "register" } else { model };
        let (object, own) = misfit
            .expected
            .strip_prefix(&format!("an operation of a {object}"))
            .and_then(|rest| rest.split_once(": "))
            .unwrap_or_else(|| panic!("{misfit}"));
        assert!(object.is_empty() && !own.is_empty(), "{misfit}");
        assert_eq!(
            (misfit.event, misfit.found.as_str()),
            (Some(0), "brew \"x\", answered with null")
        );
    }
}

#[test]
fn objects_begin_empty() {
    let lines = [json!([0, "invoke", "add", null, 1]), json!([0, "ok", "add", null, 1])];
    let from = |initial: Value| {
        judge(
            &history("counter", &lines),
            &Options { initial: Some(initial), ..Options::default() },
        )
    };
    assert_eq!(from(json!(0)).verdict.name(), "valid");
    let elsewhere = from(json!(3));
    assert_eq!(
        elsewhere.reason.as_deref(),
        Some("expected no initial value, since a counter begins empty, found 3")
    );
    assert!(elsewhere.misfit.is_none() && elsewhere.checks["counter"].verdict.is_valid());
    let initial = Some(json!(true));
    let held = judge(
        &history(
            "mutex",
            &[json!([0, "invoke", "acquire", null, 1]), json!([0, "ok", "acquire", null, 1])],
        ),
        &Options { initial, ..Options::default() },
    );
    assert!(held.misfit.is_some(), "{held:?}");
}
