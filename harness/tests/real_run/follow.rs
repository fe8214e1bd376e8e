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
