//! Whether compare-and-sets that failed are answers.

use serde_json::json;
use splitbrain_checker::history::History;
use splitbrain_checker::{FailedCas, Judgement, Options, judge};

/// Writes 1, and then a cas of `old` fails with an error of a kind; nobody else does anything.
fn judged(failed_cas: FailedCas, initial: i32, old: i32, kind: &str) -> Judgement {
    let lines = [
        json!({"process": 0, "type": "invoke", "f": "write", "value": 1}),
        json!({"process": 0, "type": "ok", "f": "write", "value": 1}),
        json!({"process": 1, "type": "invoke", "f": "cas", "value": [old, 9]}),
        json!({"process": 1, "type": "fail", "f": "cas", "value": [old, 9], "error": {"kind": kind}}),
    ];
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let history = History::read(text.join("\n").as_bytes()).expect("a history");
    let initial = Some(json!(initial));
    judge(&history, &Options { failed_cas, initial, explain: true, ..Options::default() })
}

#[test]
fn a_mismatch_with_the_value_that_was_there_is_a_violation() {
    let judgement = judged(FailedCas::Observed, 0, 1, "mismatch");
    assert_eq!(judgement.verdict.name(), "invalid");
    let [violation] = &judgement.violations[..] else { panic!("{:?}", judgement.violations) };
    assert_eq!((violation.name, &violation.witness[..]), ("non-linearizable", &[0, 2][..]));
    assert!(judgement.explain[0].procedure.starts_with("search"), "{:?}", judgement.explain);
}

#[test]
fn a_mismatch_with_another_value_is_none() {
    // The initial value is one like others.
    for old in [0, 5] {
        assert_eq!(judged(FailedCas::Observed, 0, old, "mismatch").verdict.name(), "valid");
    }
    assert_eq!(judged(FailedCas::Observed, 1, 1, "mismatch").verdict.name(), "invalid");
}

#[test]
fn nothing_is_concluded_from_other_failures_or_unless_it_was_asked_for() {
    assert_eq!(judged(FailedCas::Observed, 0, 1, "refused").verdict.name(), "valid");
    let ignored = judged(FailedCas::Ignored, 0, 1, "mismatch");
    assert_eq!(ignored.verdict.name(), "valid");
    assert!(ignored.explain[0].procedure.starts_with("zones"), "{:?}", ignored.explain);
}
