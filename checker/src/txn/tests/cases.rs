//! Each anomaly, and a twin that differs in a little and is none.
//!
//! A line is a transaction: its process, where its invocation and its completion stand (`2..5`; with `?` or
//! `!` behind if it may have happened or did not), and its accesses: `a x 1` appends, `r x 1,2` reads a list,
//! `w x 1` writes and `g x 1` reads a register.

use serde_json::{Value, json};

use crate::history::{Event, History, Kind, Process};
use crate::judge;
use crate::judgement::Judgement;
use crate::options::Options;

pub fn history(text: &str) -> History {
    let mut events = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("a word");
        let process = Process::Client(word().parse().expect("a process"));
        let interval = word();
        let kind = match interval.as_bytes().last() {
            Some(b'?') => Kind::Info,
            Some(b'!') => Kind::Fail,
            _ => Kind::Ok,
        };
        let (from, to) = interval.trim_end_matches(['?', '!']).split_once("..").expect("..");
        let rest: Vec<&str> = words.collect();
        let steps = |answered: bool| -> Value {
            let step = |access: &[&str]| {
                let number = |text: &str| text.parse::<u64>().expect("a number");
                let value = match (access[0], access[2]) {
                    ("r" | "g", _) if !answered => Value::Null,
                    ("g", "-") => Value::Null,
                    ("r", "-") => json!([]),
                    ("r", list) => list.split(',').map(number).collect(),
                    (_, value) => json!(number(value)),
                };
                let name = match access[0] {
                    "a" => "append",
                    "g" => "r",
                    other => other,
                };
                json!([name, access[1], value])
            };
            rest.chunks(3).map(step).collect()
        };
        for (at, kind, value) in [(from, Kind::Invoke, steps(false)), (to, kind, steps(true))] {
            let at = at.parse().expect("a number");
            let mut event = Event::new(at, at * 1_000_000, kind, process, "txn");
            event.value = value;
            events.push(event);
        }
    }
    events.sort_by_key(|event| event.index);
    History::from_events(None, events).expect("a history")
}

pub fn judged(text: &str) -> Judgement {
    judge(&history(text), &Options::default())
}

/// What is found, the strongest levels that hold, and the weakest that do not.
#[track_caller]
pub fn check(text: &str, names: &[&str], strongest: &[&str], weakest: &[&str]) {
    check_by(&Options::default(), text, names, strongest, weakest);
}

/// The same with options.
#[track_caller]
pub fn check_by(
    options: &Options,
    text: &str,
    names: &[&str],
    strongest: &[&str],
    weakest: &[&str],
) {
    let judgement = judge(&history(text), options);
    let found: Vec<&str> = judgement.violations.iter().map(|violation| violation.name).collect();
    let of = |rungs: &[crate::Rung]| rungs.iter().map(|rung| rung.name()).collect::<Vec<_>>();
    let levels = (of(&judgement.strongest), of(&judgement.weakest_ruled_out));
    assert_eq!((found, levels), (names.to_vec(), (strongest.to_vec(), weakest.to_vec())));
    for violation in &judgement.violations {
        assert!(!violation.because.is_empty() && !violation.rules_out.is_empty());
        assert!(
            violation.because.iter().all(|sentence| !sentence.ends_with(": ")),
            "{violation:#?}"
        );
    }
}

#[track_caller]
pub fn valid(text: &str) {
    check(text, &[], &["strict-serializable"], &[]);
}

#[test]
fn g0() {
    check(
        "0 0..10 a x 1 a y 2
         1 1..11 a x 3 a y 4
         2 12..13 r x 1,3 r y 4,2",
        &["G0"],
        &[],
        &["read-uncommitted"],
    );
    valid(
        "0 0..10 a x 1 a y 2
         1 1..11 a x 3 a y 4
         2 12..13 r x 1,3 r y 2,4",
    );
}

#[test]
fn g1a() {
    check(
        "0 0..1! a x 1
         1 2..3 r x 1",
        &["G1a"],
        &["read-uncommitted"],
        &["read-committed"],
    );
    valid(
        "0 0..1? a x 1
         1 2..3 r x 1",
    );
}

#[test]
fn g1b() {
    check(
        "0 0..9 a x 1 a x 2
         1 1..8 r x 1",
        &["G1b", "G-single", "fractured-read"],
        &["read-uncommitted"],
        &["read-committed"],
    );
    valid(
        "0 0..9 a x 1 a x 2
         1 1..8 r x 1,2",
    );
}

#[test]
fn g1c() {
    check(
        "0 0..9 a x 1 r y 2
         1 1..8 a y 2 r x 1",
        &["G1c"],
        &["read-uncommitted"],
        &["read-committed"],
    );
    valid(
        "0 0..9 a x 1 r y 2
         1 1..8 a y 2 r x -",
    );
}

#[test]
fn g_single() {
    check(
        "0 0..9 a x 1 a y 2
         1 1..8 r x - r y 2",
        &["G-single", "fractured-read"],
        &["monotonic-atomic-view"],
        &["snapshot-isolation", "repeatable-read", "update-serializable", "read-atomic"],
    );
}

#[test]
fn write_skew() {
    let text = "0 0..9 r x - a y 1
                1 1..8 r y - a x 2";
    check(
        text,
        &["G2-item"],
        &["strong-snapshot-isolation"],
        &["repeatable-read", "update-serializable"],
    );
    assert_eq!(judged(text).violations[0].shape, Some("write-skew"));
    valid(
        "0 0..9 r x - a y 1
         1 1..8 r y 1 a x 2",
    );
}

#[test]
fn long_fork() {
    let text = "0 0..9 a x 1
                1 1..10 a y 2
                2 2..11 r x 1 r y -
                3 3..12 r x - r y 2";
    let judgement = judged(text);
    assert_eq!(judgement.violations[0].name, "G-nonadjacent");
    assert_eq!(judgement.violations[0].shape, Some("long-fork"));
}

#[test]
fn lost_update() {
    let text = "0 0..9 r x - a x 1
                1 1..8 r x - a x 2
                2 10..11 r x 1,2";
    let judgement = judged(text);
    let names: Vec<&str> = judgement.violations.iter().map(|violation| violation.name).collect();
    assert!(names.contains(&"lost-update"), "{names:?}");
    valid(
        "0 0..9 r x - a x 1
         1 1..8 r x 1 a x 2
         2 10..11 r x 1,2",
    );
}

#[test]
fn stale_reads_of_whole_transactions() {
    check(
        "0 0..1 a x 1
         1 2..3 r x -",
        &["G-single-realtime"],
        &["strong-session-serializable"],
        &["strong-snapshot-isolation"],
    );
    check(
        "0 0..1 a x 1
         0 2..3 r x -",
        &["fractured-read", "G-single-process"],
        &["serializable", "monotonic-atomic-view"],
        &["read-atomic"],
    );
    valid(
        "0 0..2 a x 1
         1 1..3 r x -",
    );
}

#[test]
fn internal_and_future_reads() {
    check("0 0..1 a x 1 r x -", &["internal"], &["read-uncommitted"], &["read-committed"]);
    valid("0 0..1 r x - a x 1 r x 1");
    check("0 0..1 r x 1 a x 1", &["future-read"], &["read-uncommitted"], &["read-committed"]);
    check(
        "0 0..9 r x - r x 1
         1 1..8 a x 1",
        &["internal", "G-single", "fractured-read"],
        &["monotonic-atomic-view"],
        &["snapshot-isolation", "repeatable-read", "update-serializable", "read-atomic"],
    );
}

#[test]
fn lists_that_are_none() {
    for text in [
        "0 0..1 a x 1
         1 2..3 a x 2
         2 4..5 r x 1,2
         3 6..7 r x 2",
        "0 0..1 a x 1
         2 4..5 r x 1,1",
        "0 0..1 a x 1
         2 4..5 r x 1,7",
    ] {
        let judgement = judged(text);
        assert!(judgement.strongest.is_empty() && judgement.verdict.is_invalid(), "{text}");
    }
}

#[test]
fn dirty_updates() {
    let judgement = judged(
        "0 0..1! a x 1
         1 2..3 a x 2
         2 4..5 r x 1,2",
    );
    let names: Vec<&str> = judgement.violations.iter().map(|violation| violation.name).collect();
    assert_eq!(names, ["dirty-update", "G1a"]);
    // What nobody wrote is seen behind one too, and no level allows that.
    let judgement = judged("0 0..1! a x 1\n1 2..3 a x 2\n2 4..5 r x 1,2,9");
    assert!(judgement.violations.iter().any(|one| one.name == "phantom-read"));
    assert_eq!(judgement.weakest_ruled_out, [crate::ladder::Rung::ReadUncommitted]);
}

#[test]
fn values_that_were_written_twice_say_nothing() {
    let judgement = judged(
        "0 0..1 a x 1
         1 2..3 a x 1
         2 4..5 r x 1",
    );
    assert!(judgement.reason.expect("a reason").starts_with("assumption: 1 was appended to"));
}
