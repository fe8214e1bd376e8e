//! Suites of real runs: killed at a random moment and resumed they give what they would have given.
//!
//! `SPLITBRAIN_SUITE_KILLS=20` raises the number of suites that are killed.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::world::{World, eventually};

const SUITE: &str = r#"
    [plan]
    nodes = 3
    [[matrix]]
    targets = ["store/single", "store/cache"]
    faults = ["none", "isolate-one"]
    seeds = [1]
    time_limit = "3s"
    expect = "weak"
"#;

/// What each run showed, without what differs from one run to the next.
fn results(told: &Value) -> BTreeMap<String, String> {
    let rows = told["rows"].as_array().unwrap().iter();
    let results: Vec<(String, String)> = rows
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("cell"), text("outcome"))
        })
        .collect();
    let once: BTreeMap<_, _> = results.iter().cloned().collect();
    assert_eq!(once.len(), results.len(), "a run was made twice: {results:?}");
    once
}

#[test]
fn a_suite_keeps_its_state_and_killed_at_any_moment_it_is_resumed() {
    let Some(world) = World::new() else { return };
    std::fs::write(world.path("small.toml"), SUITE).unwrap();
    let whole = world.command(&["suite", "small.toml", "--json", "--jobs", "2"]);
    assert_eq!(whole.exit, Some(0), "{}", whole.said);
    let expected = results(&whole.json());
    assert_eq!(expected.len(), 4, "{expected:?}");
    assert!(expected.values().all(|outcome| outcome == "valid"), "{expected:?}");

    let kills = std::env::var("SPLITBRAIN_SUITE_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u64 = kills.unwrap_or(1);
    for turn in 0..kills {
        let mut child = world
            .prepare(&["suite", "small.toml", "--json", "--jobs", "2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nights = || std::fs::read_dir(world.path("store/suites/small")).unwrap().count() as u64;
        eventually("a night of its own", || nights() == 2 + turn);
        std::thread::sleep(Duration::from_millis(2_000 + (turn * 7_919) % 9_000));
        child.kill().unwrap();
        child.wait().unwrap();
        // Two at once, also where two had been cut short.
        let resumed = world.command(&["suite", "small.toml", "--resume", "--json", "--jobs", "2"]);
        assert_eq!(resumed.exit, Some(0), "{}", resumed.said);
        assert_eq!(results(&resumed.json()), expected, "killed in turn {turn}");
    }
    let nights = std::fs::read_dir(world.path("store/suites/small")).unwrap().count();
    assert_eq!(nights as u64, 1 + kills, "it was resumed, and not begun again");
    world.assert_clean();
}

#[test]
fn a_run_that_cannot_start_does_not_fail_the_next() {
    let Some(world) = World::new() else { return };
    // Behind proxies there are no disks that can fail, so the first run refuses its fault.
    let suite = r#"
        [[matrix]]
        targets = ["store/single"]
        faults = ["bit-flip", "none"]
        seeds = [1]
        time_limit = "1s"
        expect = "weak"
        [plan]
        environment = "proxy"
        nodes = 3
    "#;
    std::fs::write(world.path("mixed.toml"), suite).unwrap();
    let ran = world.command(&["suite", "mixed.toml", "--json", "--junit", "junit.xml"]);
    assert_eq!(ran.exit, Some(70), "{}", ran.said);
    let told = results(&ran.json());
    assert_eq!(told["store/single register bit-flip seed 1"], "harness-failure");
    assert_eq!(told["store/single register none seed 1"], "valid");
    let junit = std::fs::read_to_string(world.path("junit.xml")).unwrap();
    assert!(junit.contains(r#"type="harness""#), "{junit}");
    world.assert_clean();
}

#[test]
fn a_run_that_failed_is_shrunk_to_a_plan_that_still_does() {
    let Some(world) = World::new() else { return };
    // It fails without any fault, so that what is tried first is a smaller plan.
    let plan = r#"
        target = "store/raft+lost-update"
        workload = { name = "counter" }
        nodes = 3
        seed = 1
        expect = "linearizable"
        phases = { baseline = "500ms", main = "3500ms", after = "500ms", converge_within = "1s" }
        faults = [
            { name = "kill", at = "0s", for = "500ms" },
            { name = "halves", at = "1s", for = "2s" },
        ]
    "#;
    std::fs::write(world.path("large.toml"), plan).unwrap();
    let run = world.run(&["--plan", "large.toml"]);
    assert_eq!(run.exit, Some(1), "{}", run.said);
    let folder = world.latest();
    let folder = folder.to_str().unwrap();
    let shrunk = world.command(&["shrink", folder, "--budget", "40s", "-o", "small.toml"]);
    assert_eq!(shrunk.exit, Some(0), "{}", shrunk.said);
    let text = std::fs::read_to_string(world.path("small.toml")).unwrap();
    let (before, after) = (text.lines().nth(1).unwrap(), text.lines().nth(2).unwrap());
    assert!(before.contains("It was:") && after.contains("It is:"), "{text}");
    let faults = |line: &str| -> u32 {
        let at = line.find(" faults").unwrap();
        line[..at].rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(faults(after) < faults(before), "{text}");
    // A plan of that kind is run like any other.
    let again = world.run(&["--plan", "small.toml", "--json"]);
    assert!(again.exit.is_some_and(|exit| exit <= 2), "{}", again.said);
    // What is valid cannot be shrunk.
    let good =
        world.run(&["--mode", "single", "--nodes", "3", "--faults", "none", "--time-limit", "1s"]);
    assert_eq!(good.exit, Some(0), "{}", good.said);
    let refused = world.command(&["shrink", world.latest().to_str().unwrap()]);
    assert_eq!(refused.exit, Some(64), "{}", refused.said);
    world.assert_clean();
}
