//! Histories as text, and what is expected of them.

use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::{Judgement, Options, judge};

/// A history of lines `PROCESS TYPE F VALUE`, or `PROCESS@NODE ...`, and `final` where the final phase begins. A completion without an invocation is an operation
/// that nothing overlaps.
pub fn history(vocabulary: &str, text: &str, initial: Value) -> History {
    let header = json!({"splitbrain": 1, "vocabulary": vocabulary, "initial": initial});
    let mut lines = vec![header.to_string()];
    let mut open = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "final" {
            let phase =
                json!({"process": "harness", "type": "info", "f": "phase", "value": "final"});
            lines.push(phase.to_string());
            continue;
        }
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let [process, kind, f, value] = words[..] else { panic!("{line}") };
        let value: Value = serde_json::from_str(value).expect(line);
        let mut event = |kind: &str, value: &Value| {
            let (process, node) = process.split_once('@').unwrap_or((process, ""));
            let process: u64 = process.parse().expect(line);
            let mut event = json!({"process": process, "type": kind, "f": f, "value": value});
            if !node.is_empty() {
                event["node"] = node.into();
            }
            lines.push(event.to_string());
        };
        let reads = ["read", "dequeue", "drain", "generate"].contains(&f);
        let argument = if reads && !value[0].is_array() { Value::Null } else { value.clone() };
        if kind == "invoke" {
            event("invoke", &argument);
            open.push(process);
        } else {
            if !open.contains(&process) {
                event("invoke", &argument);
            }
            open.retain(|other| *other != process);
            event(kind, &value);
        }
    }
    History::read(format!("{}\n", lines.join("\n")).as_bytes()).expect("a history")
}

pub fn judged(check: &str, text: &str, initial: Value) -> Judgement {
    judge(&history(check, text, initial), &Options::default())
}

/// The verdict of the check, its findings with their number, and the results that are named.
#[track_caller]
pub fn expect(check: &str, text: &str, verdict: &str, findings: &[(&str, u64)], results: Value) {
    expect_from(Value::Null, check, text, verdict, findings, results);
}

#[track_caller]
pub fn expect_from(
    initial: Value,
    check: &str,
    text: &str,
    verdict: &str,
    findings: &[(&str, u64)],
    results: Value,
) {
    let judgement = judged(check, text, initial);
    let result = judgement.checks.get(check).unwrap_or_else(|| panic!("{:?}", judgement.misfit));
    assert_eq!(result.verdict.name(), verdict, "{result:?}");
    // What breaks a rung of the ladder says which.
    let found: Vec<(&str, u64)> = (judgement.violations.iter())
        .filter(|violation| violation.rules_out.is_empty())
        .map(|violation| (violation.name, violation.count))
        .collect();
    assert_eq!(found, findings, "{result:?}");
    if verdict == "invalid" {
        assert_eq!(judgement.verdict.name(), "invalid");
    }
    let shown = serde_json::to_value(result).expect("a value");
    for (name, wanted) in results.as_object().expect("an object") {
        assert_eq!(shown[name], *wanted, "{name} of {shown}");
    }
}
