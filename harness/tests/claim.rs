//! `splitbrain claim`: a word, its evidence, and the exit code; and `check --profile`.

use std::process::{Command, Output};

use serde_json::Value;

fn splitbrain(history: &str, args: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.jsonl"), history).unwrap();
    Command::new(env!("CARGO_BIN_EXE_splitbrain"))
        .args(args.split_whitespace())
        .current_dir(folder.path())
        .output()
        .expect("the program starts")
}

/// Claims something of a history: the first line is the word.
#[track_caller]
fn check(history: &str, claim: &str, exit: i32, word: &str, evidence: &str) {
    let output = splitbrain(history, &format!("claim --expect {claim} history.jsonl"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}{complained}");
    assert_eq!(said.lines().next(), Some(word), "{said}");
    assert!(said.contains(evidence), "{said}\ndoes not say\n{evidence}");
    assert_eq!(complained, "");
}

/// Two nodes: a write at one, a read at the other, and what both hold in the end.
fn history(read: &str, held: [&str; 2]) -> String {
    let mut lines = vec![r#"{"splitbrain":1,"nodes":["n1","n2"]}"#.to_owned()];
    let mut process = 0;
    let mut operation = |time: u64, node: &str, f: &str, value: &str| {
        process += 1;
        let asked = if f == "read" { "null" } else { value };
        lines.push(format!(
            r#"{{"time":{time},"type":"invoke","process":{process},"f":"{f}","key":"x","value":{asked},"node":"{node}"}}"#
        ));
        lines.push(format!(
            r#"{{"time":{},"type":"ok","process":{process},"f":"{f}","key":"x","value":{value}}}"#,
            time + 1
        ));
        if time == 30 {
            lines.push(
                r#"{"time":40,"type":"info","process":"harness","f":"phase","value":"final"}"#
                    .to_owned(),
            );
        }
    };
    operation(10, "n1", "write", "1");
    operation(30, "n2", "read", read);
    operation(50, "n1", "read", held[0]);
    operation(51, "n2", "read", held[1]);
    lines.join("\n") + "\n"
}

#[test]
fn a_claim_is_confirmed_refuted_or_unknown() {
    let good = history("1", ["1", "1"]);
    check(&good, "linearizable", 0, "confirmed", "the history shows linearizable");
    check(&good, "eventual", 0, "confirmed", "");
    check(&good, "cp", 2, "unknown", "no cut between sides could be judged");
    check(&good, "AP", 2, "unknown", "");
    let stale = history("null", ["1", "1"]);
    check(&stale, "linearizable", 1, "refuted", "stale-read x1, key x");
    check(&stale, "eventual", 0, "confirmed", "eventually consistent");
    check(&good, "causal", 0, "confirmed", "");
    check(&stale, "sequential", 0, "confirmed", "eventually consistent");
    check(&good, "converged", 0, "confirmed", "");
    check(&history("1", ["1", "null"]), "converged", 1, "refuted", "not-converged x1, key x");
    let lost = history("1", ["null", "null"]);
    check(&lost, "eventual", 1, "refuted", "lost-write x1, key x");
    check(&lost, "weak", 0, "confirmed", "weakly consistent");
}

#[test]
fn as_json_the_word_stands_in_the_verdict() {
    let output = splitbrain(&history("1", ["1", "1"]), "claim --json --expect weak history.jsonl");
    let value: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((&value["claim"], &value["expect"]), (&"confirmed".into(), &"weak".into()));
    assert!(value["profile"]["table"].is_array() && value["failover"]["loss"].is_object());
}

#[test]
fn what_is_claimed_must_be_something() {
    let good = history("1", ["1", "1"]);
    for (args, says) in [
        ("claim history.jsonl", "what is claimed?"),
        (
            "claim --expect fast history.jsonl",
            "nothing is called \"fast\"; there are: linearizable",
        ),
        ("claim --expect cp --seed 3 history.jsonl", "cannot be used with"),
        ("claim --expect cp --model mutex", "matters for a file only"),
        ("claim --expect cp nowhere.jsonl", "nowhere.jsonl"),
    ] {
        let output = splitbrain(&good, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(says), "{said}\ndoes not say\n{says}");
    }
}

#[test]
fn the_profile_is_printed_before_the_block() {
    let good = history("1", ["1", "1"]);
    let output = splitbrain(&good, "check --profile history.jsonl");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for row in ["primary goal shown", "request handling", "metrics to watch", "fail-over"] {
        assert!(said.contains(row), "{said}");
    }
    assert!(said.contains("0 of 1 keys lost that were written once"), "{said}");
    assert!(said.contains("valid: no anomaly found"), "{said}");
    let plain = splitbrain(&good, "check history.jsonl");
    let plain = String::from_utf8_lossy(&plain.stdout);
    assert!(plain.lines().count() <= 25 && !plain.contains("metrics to watch"), "{plain}");
}

#[test]
fn a_workloads_own_check_confirms_no_class() {
    let inserted = |seen: &str| {
        let lines = [
            r#"{"splitbrain":1,"vocabulary":"causal-reverse"}"#.to_owned(),
            r#"{"time":1,"type":"invoke","process":0,"f":"write","value":1}"#.to_owned(),
            r#"{"time":2,"type":"ok","process":0,"f":"write","value":1}"#.to_owned(),
            r#"{"time":3,"type":"invoke","process":0,"f":"write","value":2}"#.to_owned(),
            r#"{"time":4,"type":"ok","process":0,"f":"write","value":2}"#.to_owned(),
            r#"{"time":5,"type":"invoke","process":1,"f":"read","value":null}"#.to_owned(),
            format!(r#"{{"time":6,"type":"ok","process":1,"f":"read","value":{seen}}}"#),
        ];
        lines.join("\n") + "\n"
    };
    check(&inserted("[1,2]"), "linearizable", 2, "unknown", "says nothing of linearizable");
    check(&inserted("[2]"), "linearizable", 1, "refuted", "causal-reverse x1");
}
