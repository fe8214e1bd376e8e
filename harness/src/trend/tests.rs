//! What nights are made of, and what gates say of them.

use std::path::Path;

use chrono::{TimeZone as _, Utc};
use serde_json::json;

use super::*;

fn run(target: &str, day: u32, class: &str, rto_ms: Option<f64>) -> Kept {
    let faults: Vec<_> = rto_ms.into_iter().map(|ms| json!({ "rto_ms": ms })).collect();
    Kept {
        family: "f".to_owned(),
        name: format!("2026110{day}T000000Z"),
        started: Utc.with_ymd_and_hms(2026, 11, day, 1, 0, 0).unwrap(),
        target: target.to_owned(),
        workload: "register".to_owned(),
        verdict: Some(json!({
            "verdict": if class == "weak" { "invalid" } else { "valid" },
            "class": class,
            "check_ms": 12.0,
            "operations": 100,
            "failover": { "faults": faults },
            "profile": { "stretches": [
                { "name": "baseline", "sides": [{ "answered": 1, "requests": 100 }] },
                { "name": "main", "sides": [
                    { "answered": 90, "requests": 100, "latency_ms": { "p99": 250.0 } },
                ] },
            ] },
        })),
    }
}

#[test]
fn a_night_is_as_weak_as_its_weakest_run() {
    let runs = [
        run("store/raft", 1, "linearizable", Some(500.0)),
        run("store/raft", 2, "linearizable", Some(700.0)),
        run("store/raft", 2, "weak", Some(12_000.0)),
        run("etcd", 1, "linearizable", None),
    ];
    let nights = nights(&runs);
    assert_eq!(nights.len(), 3);
    let last = latest(&nights);
    let shown: Vec<_> = last.iter().map(|night| (&*night.target, night.date.to_string())).collect();
    assert_eq!(shown, [("etcd", "2026-11-01".to_owned()), ("store/raft", "2026-11-02".to_owned())]);
    let raft = &last[1].measured;
    let texts = [Metric::Class, Metric::Success, Metric::P99, Metric::RtoP50, Metric::RtoP95]
        .map(|metric| raft.shown(metric));
    assert_eq!(texts, ["weak", "90.0 %", "250 ms", "700 ms", "12.0 s"]);
    assert_eq!((raft.runs, raft.invalid), (2, 1));
}

#[test]
fn a_gate_fails_passes_or_cannot_tell() {
    let check = |gate: &str, target: &str, answer: Answer| {
        let runs = [
            run("store/raft", 1, "eventual", Some(10_500.0)),
            run("etcd", 1, "linearizable", None),
        ];
        let nights = nights(&runs);
        let night = nights.iter().find(|night| night.target == target).unwrap();
        assert_eq!(gate.parse::<Gate>().unwrap().ask(night), answer, "{gate} of {target}");
    };
    check("rto_p95 > 10s", "store/raft", Answer::Fails);
    check("rto_p95>10500ms", "store/raft", Answer::Passes);
    check("rto_p95 >= 10500ms", "store/raft", Answer::Fails);
    check("rto_p95 > 10s", "etcd", Answer::NotMeasured);
    check("class < linearizable", "store/raft", Answer::Fails);
    check("class < linearizable", "etcd", Answer::Passes);
    check("success < 90%", "etcd", Answer::Passes);
    check("success <= 0.9", "etcd", Answer::Fails);
    check("operations != 100", "etcd", Answer::Passes);
}

#[test]
fn a_gate_that_means_nothing_is_refused() {
    for gate in [
        "",
        "rto_p95",
        "speed > 3",
        "rto_p95 > 10",
        "class < good",
        "success < x",
        "p99 =! 3s",
        "runs > NaN",
    ] {
        let error = gate.parse::<Gate>().unwrap_err();
        assert!(error.contains("write METRIC < VALUE"), "{gate}: {error}");
    }
}

#[test]
fn what_says_nothing_of_the_target_is_no_night() {
    let mut interrupted = run("etcd", 1, "linearizable", None);
    interrupted.verdict.as_mut().unwrap()["reason"] = json!("interrupted");
    let mut failed = run("etcd", 1, "linearizable", None);
    failed.verdict.as_mut().unwrap()["failure"] = json!("disk full");
    let mut going = run("etcd", 1, "linearizable", None);
    going.verdict = None;
    assert!(nights(&[interrupted, failed, going]).is_empty());
}

#[test]
fn a_store_is_read_and_links_in_it_are_not_followed() {
    let store = tempfile::tempdir().unwrap();
    let folder = store.path().join("etcd-register/20261121T203300Z-2");
    std::fs::create_dir_all(&folder).unwrap();
    let plan = r#"{"target":"etcd","workload":{"name":"register"}}"#;
    std::fs::write(folder.join("plan.json"), plan).unwrap();
    std::fs::create_dir_all(store.path().join("suites/nightly")).unwrap();
    std::os::unix::fs::symlink("etcd-register/20261121T203300Z-2", store.path().join("latest"))
        .unwrap();
    std::os::unix::fs::symlink("/etc", store.path().join("etcd-register/20261121T203301Z"))
        .unwrap();
    let all = Kept::all(store.path());
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].started, Utc.with_ymd_and_hms(2026, 11, 21, 20, 33, 0).unwrap());
    assert_eq!(all[0].path(), Path::new("etcd-register/20261121T203300Z-2"));
    assert!(all[0].verdict.is_none() && !all[0].is_open(store.path()));
}
