//! Whole runs, for real: nodes in namespaces, faults, a verdict, and nothing left.
//!
//! Each needs namespaces, iptables and the bundled store, and says so where it skips. Runs are
//! short; `.ci/run` makes longer ones. `SPLITBRAIN_KILLS=100` raises the number of runs that are
//! killed at a random moment.

mod bad_links;
mod clients;
mod databases;
mod disks_and_clocks;
mod ends;
mod follow;
mod logins;
mod maelstrom;
mod mariadb;
mod messages;
mod npm;
mod postgres;
mod report_card;
mod sabotage;
mod shortages;
mod suite;
mod truth;
mod workloads;
mod world;

use serde_json::Value;
use world::World;

#[test]
fn a_run_keeps_everything_and_its_history_alone_gives_the_verdict() {
    let Some(world) = World::new() else { return };
    let run = world.run(&["--mode", "gossip", "--time-limit", "8s", "--seed", "3", "--json"]);
    let verdict = run.json();
    assert!([Some(0), Some(1)].contains(&run.exit), "{}", run.said);
    assert!(["eventual", "linearizable"].contains(&verdict["class"].as_str().unwrap_or("none")));
    let kept = world.latest();
    let files = ["plan.json", "history.jsonl", "verdict.json", "report.txt", "report.html"];
    for file in files.into_iter().chain(["n1/store.log"]) {
        assert!(kept.join(file).exists(), "{file} is missing");
    }
    assert!(!kept.join("n1/data").exists(), "the nodes' data is not kept");
    let faults = verdict["faults"].as_array().unwrap();
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|fault| fault["effect"] == "installed"), "{faults:?}");

    // Alone in another folder, the history gives the same answers.
    let alone = tempfile::tempdir().unwrap();
    std::fs::copy(kept.join("history.jsonl"), alone.path().join("h.jsonl")).unwrap();
    let again = world.command(&["check", "--json", alone.path().join("h.jsonl").to_str().unwrap()]);
    let mut second = again.json();
    let mut first = verdict.clone();
    for verdict in [&mut first, &mut second] {
        verdict["check_ms"] = Value::Null;
    }
    assert_eq!(first, second);
    world.assert_clean();
}

#[test]
fn a_sweep_tells_what_more_clients_carry() {
    let Some(world) = World::new() else { return };
    let sweep =
        ["--mode", "gossip", "--nodes", "3", "--clients", "4,1", "--time-limit", "3s", "--json"];
    let sweep = world.command(&[&["scale"][..], &sweep].concat());
    assert_eq!(sweep.exit, Some(0), "{}", sweep.said);
    let told = sweep.json();
    let points = told["points"].as_array().unwrap();
    let at: Vec<_> = points.iter().map(|point| point["at"].as_f64().unwrap()).collect();
    assert_eq!(at, [1.0, 4.0]);
    for point in points {
        assert!(point["throughput"].as_f64().unwrap() > 10.0, "{point}");
        assert!(point["p95_ms"].as_f64().unwrap() > 0.0, "{point}");
        // As many clients as were asked for, and no more.
        let folder = world.path(point["run"].as_str().unwrap());
        let history = std::fs::read_to_string(folder.join("history.jsonl")).unwrap();
        let mut open = 0;
        let mut most_open = 0;
        for line in history.lines().take_while(|line| !line.contains(r#""value":"heal""#)) {
            let event: Value = serde_json::from_str(line).unwrap();
            match event["type"].as_str() {
                Some("invoke") => open += 1,
                _ if event["process"].is_u64() => open -= 1,
                _ => {}
            }
            most_open = most_open.max(open);
        }
        assert_eq!(f64::from(most_open), point["at"].as_f64().unwrap());
    }
    assert_eq!(told["mode"], "throughput");
    assert!(told["usl"].is_null() && told["usl_reason"].as_str().unwrap().contains("at least 4"));
    world.assert_clean();
}

#[test]
fn the_plan_of_a_run_repeats_its_schedule() {
    let Some(world) = World::new() else { return };
    let flags = ["--time-limit", "4s", "--seed", "5", "--faults", "isolate-one,pause", "--quiet"];
    assert_eq!(world.run(&flags).exit, Some(0));
    let first = world.latest();
    let plan = first.join("plan.json");
    let again = world.run(&["--plan", plan.to_str().unwrap(), "--quiet"]);
    assert_eq!(again.exit, Some(0), "{}", again.said);
    let second = world.latest();
    assert_ne!(first, second);
    assert_eq!(
        std::fs::read_to_string(plan).unwrap(),
        std::fs::read_to_string(second.join("plan.json")).unwrap()
    );
    // What was decided and asked for is the same; when it was answered is not.
    let decided = |run: &std::path::Path| -> Vec<String> {
        let history = std::fs::read_to_string(run.join("history.jsonl")).unwrap();
        let events = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events
            .filter(|event| event["f"] == "start" && event["effect"].is_null())
            .map(|event| format!("{} {}", event["fault"], event["value"]))
            .collect()
    };
    assert_eq!(decided(&first), decided(&second));
    assert!(!decided(&first).is_empty());
}

#[test]
fn a_cluster_that_is_running_already_is_joined_and_its_faults_are_skipped() {
    let Some(world) = World::new() else { return };
    let node = world.node_on_loopback();
    let run = world.run(&[
        "--mode",
        "raft",
        "--env",
        "external",
        "--nodes",
        &node.url,
        "--time-limit",
        "2s",
        "--json",
    ]);
    let verdict = run.json();
    assert_eq!(run.exit, Some(0), "{}", run.said);
    assert_eq!(verdict["class"], "linearizable");
    assert_eq!(verdict["no_faults"], true);
    let faults = verdict["faults"].as_array().unwrap();
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault["effect"] == "skipped"));
}

#[test]
fn a_node_that_cannot_start_fails_the_harness_with_its_last_words() {
    let Some(world) = World::new() else { return };
    let run = world.run_with_store("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n", &[]);
    assert_eq!(run.exit, Some(70), "{}", run.said);
    // Whichever is seen first.
    assert!(run.said.contains(" has ended by itself"), "{}", run.said);
    assert!(run.said.contains("the disk is on fire"), "{}", run.said);
    world.assert_clean();
}
