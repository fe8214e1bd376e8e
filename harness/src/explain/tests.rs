//! Each example is judged: it shows what it is said to show, and rules out what it is said to rule out.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;
use splitbrain_checker::history::History;

use super::*;
use crate::report::{Question, judge_history};

fn verdict(history: &str) -> Value {
    let history = History::read(history.as_bytes()).unwrap();
    let judged = judge_history(&history, &Question::default(), Instant::now());
    serde_json::from_str(&judged.json()).unwrap()
}

#[test]
fn every_example_shows_its_anomaly_and_rules_out_what_it_says() {
    let mut wrong = Vec::new();
    for anomaly in anomalies() {
        let verdict = verdict(&anomaly.history());
        let names: Vec<&str> = verdict["violations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        if !names.contains(&anomaly.name) {
            wrong.push(format!("{} shows {names:?}", anomaly.name));
        }
        for rung in anomaly.rules_out {
            if verdict["ladder"][rung] != "invalid" {
                wrong.push(format!("{}: {rung} is {}", anomaly.name, verdict["ladder"][rung]));
            }
        }
        // The weakest are all there: whatever is weaker than each of them holds, or is not known.
        let mut weakest: BTreeSet<&str> = verdict["weakest_ruled_out"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        weakest.retain(|rung| !anomaly.rules_out.contains(rung) && *rung != "converged");
        if !weakest.is_empty() {
            wrong.push(format!("{} also rules out {weakest:?}", anomaly.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_example_without_its_last_operation_is_no_anomaly() {
    for anomaly in anomalies().filter(|one| !one.example.contains("finally")) {
        let shorter = anomaly.example.trim().rsplit_once('\n').unwrap().0;
        let verdict = verdict(&example::history(shorter));
        let names =
            verdict["violations"].as_array().unwrap().iter().map(|one| one["name"].as_str());
        assert!(!names.flatten().any(|name| name == anomaly.name), "{}", anomaly.name);
    }
}

#[test]
fn what_a_model_implies_is_a_model_and_every_word_is_found() {
    for model in models() {
        for implied in model.implies {
            assert!(models().any(|other| other.name == *implied), "{implied}");
        }
    }
    for word in words() {
        assert!(explain(word).unwrap().starts_with(word), "{word}");
    }
    assert!(explain("g1a").unwrap().starts_with("G1a"));
    assert!(explain("dirty read").unwrap().starts_with("aborted-read"));
    assert!(explain("Stale Read").unwrap().starts_with("stale-read"));
    assert!(explain("meteor").is_none());
    let mut names = words();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), words().len());
}

/// What can be expected of a system is explained, and so is what its transactions are judged by.
#[test]
fn every_model_that_there_is_is_explained() {
    use splitbrain_checker::Expectation;
    for expectation in Expectation::all() {
        let word = expectation.name();
        let known = explain(word).is_some() || ["weak", "cp", "ap", "ca"].contains(&word);
        assert!(known, "{word}");
    }
}
