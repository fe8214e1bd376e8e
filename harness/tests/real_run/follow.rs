//! A run in progress, judged from another process.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::world::World;

/// Follows a run from its beginning; exit codes and verdicts of the run and of who followed.
fn followed(world: &World, mode: &str) -> [(Option<i32>, serde_json::Value); 2] {
    let flags = ["run", "--mode", mode, "--time-limit", "8s", "--seed", "3", "--json"];
    let run = world.prepare(&flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let history = world.path("store/latest/history.jsonl");
    let until = Instant::now() + Duration::from_secs(30);
    while !history.exists() {
        assert!(Instant::now() < until, "no history after 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    let follower = world.command(&["check", history.to_str().unwrap(), "--follow", "--json"]);
    let run = run.wait_with_output().unwrap();
    let verdict = serde_json::from_slice(&run.stdout).unwrap();
    [(run.status.code(), verdict), (follower.exit, follower.json())]
}

#[test]
fn a_run_without_a_violation_is_followed_to_its_end() {
    let Some(world) = World::new() else { return };
    let [mut run, mut follower] = followed(&world, "raft");
    for (exit, verdict) in [&mut run, &mut follower] {
        assert_eq!(*exit, Some(0), "{verdict}");
        verdict["check_ms"] = serde_json::Value::Null;
    }
    assert_eq!(run.1, follower.1);
}

#[test]
fn a_violation_is_told_before_the_run_ends() {
    let Some(world) = World::new() else { return };
    let [run, follower] = followed(&world, "cache");
    assert_eq!((run.0, follower.0), (Some(1), Some(1)), "{}", follower.1);
    assert_eq!(follower.1["ladder"]["linearizable"], "invalid");
    let operations = |verdict: &serde_json::Value| verdict["operations"].as_u64().unwrap();
    assert!(operations(&follower.1) < operations(&run.1), "the run had gone on");
}

#[test]
fn the_run_itself_says_so_and_ends_and_what_it_says_is_what_is_stored() {
    let Some(world) = World::new() else { return };
    // A run of a minute, if nothing ended it.
    let flags = ["--mode", "cache", "--time-limit", "60s", "--seed", "3", "--nodes", "3"];
    let ended = world.run(&[&flags[..], &["--until", "invalid"]].concat());
    assert_eq!(ended.exit, Some(1), "{}", ended.said);
    assert!(ended.said.contains("not linearizable: "), "{}", ended.said);
    assert!(ended.said.contains("certain at line"), "{}", ended.said);
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    assert!(history.contains("ended at the first violation"));
    assert!(!history.contains(r#""value":"after""#), "the plan was not played to its end");
    let check = world.command(&["check", "--json", world.latest().to_str().unwrap()]);
    assert_eq!(check.json()["verdict"], "invalid");

    // The twin, in which there is nothing to be found, is played to its end; if the live verdict were
    // another than the stored one, that would be a failure of the harness.
    let flags = ["--mode", "single", "--time-limit", "3s", "--seed", "3", "--nodes", "3"];
    let whole = world.run(&[&flags[..], &["--until", "invalid"]].concat());
    assert_eq!(whole.exit, Some(0), "{}", whole.said);
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    assert!(history.contains(r#""value":"after""#));
    world.assert_clean();
}
