//! Histories that lack something: each gives what can be decided, and a reason for the rest.

use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::{Judgement, Options, Rung, Verdict, judge};

use crate::script::Script;

fn judged(lines: &str) -> Judgement {
    let history = History::read(lines.as_bytes()).expect("a history");
    judge(&history, &Options::default())
}

/// Every cell has words, or a reason.
#[track_caller]
fn all_is_said(judgement: &Judgement) {
    for row in &judgement.profile.table {
        assert!(row.cells.iter().all(|cell| !cell.because.is_empty()), "{row:?}");
    }
    assert!(!judgement.profile.sentence.is_empty());
    assert!(judgement.cap.is_some() || judgement.cap_reason.is_some());
    assert!(judgement.failover.faults.is_empty() != judgement.failover.reason.is_none());
}

#[test]
fn neither_header_nor_nodes_nor_times() {
    let judgement = judged(
        r#"{"type":"invoke","process":0,"f":"write","value":1}
           {"type":"ok","process":0,"f":"write","value":1}
           {"type":"invoke","process":1,"f":"write","value":2}
           {"type":"ok","process":1,"f":"write","value":2}
           {"type":"invoke","process":2,"f":"read"}
           {"type":"ok","process":2,"f":"read","value":1}"#,
    );
    all_is_said(&judgement);
    let staleness = judgement.profile.staleness.expect("registers");
    assert_eq!((staleness.stale, staleness.versions), (1, Some(1)));
    assert_eq!(judgement.profile.columns[0].traffic.answered, 3);
    assert!(judgement.failover.loss.reason.expect("unknown").contains("no final reads"));
    assert!(judgement.profile.divergence.is_none());
}

#[test]
fn an_empty_history_says_nothing() {
    // No file is read as one, but one can be made.
    let history = History::from_events(None, []).expect("a history");
    let judgement = judge(&history, &Options::default());
    all_is_said(&judgement);
    assert!(matches!(judgement.verdict, Verdict::Unknown { .. }));
    let undecided =
        |row: &splitbrain_checker::Row| row.cells.iter().all(|cell| cell.word.is_none());
    assert!(judgement.profile.table.iter().all(undecided));
}

#[test]
fn an_unknown_f_leaves_the_traffic() {
    let judgement = judged(
        r#"{"time":0,"type":"invoke","process":0,"f":"frobnicate","value":1,"node":"n1"}
           {"time":5,"type":"ok","process":0,"f":"frobnicate","value":1}"#,
    );
    all_is_said(&judgement);
    assert_eq!(judgement.profile.columns[0].traffic.answered, 1);
    assert!(judgement.profile.staleness.is_none() && judgement.profile.reason.is_some());
}

#[test]
fn other_objects_than_registers_have_traffic_but_no_staleness() {
    let judgement = judged(
        r#"{"splitbrain":1,"vocabulary":"counter","nodes":["n1"]}
           {"time":0,"type":"invoke","process":0,"f":"add","value":1,"node":"n1"}
           {"time":5,"type":"ok","process":0,"f":"add","value":1}
           {"time":6,"type":"invoke","process":0,"f":"read","node":"n1"}
           {"time":9,"type":"ok","process":0,"f":"read","value":1}"#,
    );
    all_is_said(&judgement);
    assert_eq!(judgement.profile.columns[0].traffic.answered, 2);
    assert!(judgement.profile.staleness.is_none() && judgement.profile.reason.is_some());
}

#[test]
fn no_faults_at_all_decide_the_first_column_only() {
    let mut script = Script::new(2);
    for at_ms in (0..2_000).step_by(10) {
        script.op(at_ms, at_ms + 1, 1 + (at_ms / 10 % 2) as usize, "write x", json!(at_ms));
    }
    let judgement = script.judgement();
    all_is_said(&judgement);
    let decided: Vec<bool> =
        judgement.profile.columns.iter().map(|column| column.reason.is_none()).collect();
    assert_eq!(decided, [true, false, false, false]);
    assert_eq!(judgement.profile.columns[0].traffic.requests, 200);
}

#[test]
fn no_final_reads_leave_loss_unknown_and_probes_converge_all_the_same() {
    let mut script = Script::new(2);
    script.op(10, 11, 1, "write p", json!(1)).cut(1_000, 2_000, &[1], &[2]);
    script.probe(2_500, "p", &[json!(1), json!(1)]);
    let judgement = script.judgement();
    all_is_said(&judgement);
    assert!(judgement.failover.loss.lost().is_none() && judgement.failover.loss.reason.is_some());
    assert_eq!(judgement.profile.convergence[0].at_most_ms, Some(490.0));
}

#[test]
fn probes_without_nodes_or_due_say_nothing_rather_than_something_false() {
    let mut lines: Vec<Value> = Vec::new();
    for (process, answer) in [(0, json!(null)), (1, json!(1))] {
        lines.push(json!({"type": "invoke", "process": process, "f": "read", "probe": true}));
        lines.push(json!({"type": "ok", "process": process, "f": "read", "value": answer}));
    }
    lines.insert(0, json!({"type": "ok", "process": 9, "f": "write", "value": 1}));
    lines.insert(0, json!({"type": "invoke", "process": 9, "f": "write", "value": 1}));
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let judgement = judged(&text.join("\n"));
    all_is_said(&judgement);
    assert!(judgement.profile.divergence.is_none());
}

/// The order of the lines decides what it can, and what is measured in time is not known; the twin, whose clock
/// goes back by less than a millisecond, is measured.
#[test]
fn a_clock_that_goes_back_leaves_what_is_measured_in_time_unknown() {
    let judged_with = |back_ns: u64| {
        let mut lines: Vec<Value> = Vec::new();
        let times = [0, 5_000_000, 5_000_000 - back_ns, 6_000_000];
        let steps =
            [("invoke", 0, "write"), ("ok", 0, "write"), ("invoke", 1, "read"), ("ok", 1, "read")];
        for (time, (kind, process, f)) in times.into_iter().zip(steps) {
            let line = json!({"type": kind, "process": process, "f": f, "value": 1, "time": time});
            lines.push(line);
        }
        lines[2]["value"] = Value::Null;
        let text = |lines: &[Value]| {
            let text: Vec<String> = lines.iter().map(Value::to_string).collect();
            text.join("\n")
        };
        let fine = judged(&text(&lines));
        lines[3]["value"] = Value::Null;
        (fine, judged(&text(&lines)))
    };
    let (fine, stale) = judged_with(2_000_000);
    assert!(fine.ladder[&Rung::Linearizable].is_valid());
    assert!(stale.ladder[&Rung::Linearizable].is_invalid());
    let reason = "the clock went back, first at line 3, by at most 2 ms (events: 1)";
    for judgement in [&fine, &stale] {
        assert_eq!(judgement.cap_reason.as_deref(), Some(reason));
        assert_eq!(judgement.profile.reason.as_deref(), Some(reason));
        assert_eq!(judgement.failover.loss.reason.as_deref(), Some(reason));
        assert!(judgement.profile.staleness.is_none());
    }
    let (fine, stale) = judged_with(1_000);
    assert!(fine.ladder[&Rung::Linearizable].is_valid());
    assert!(stale.profile.staleness.is_some());
    assert!(stale.profile.reason.is_none(), "{:?}", stale.profile.reason);
}
