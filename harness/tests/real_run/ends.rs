//! Runs that end before their plan does.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{World, eventually};

/// Starts a run, sends it a signal when a wait is over, and returns its exit code and what it said.
fn signalled(
    world: &World,
    signal: Signal,
    wait: impl FnOnce(),
) -> (Option<i32>, Option<i32>, String) {
    let mut child = world
        .prepare(&["run", "--time-limit", "20s", "--seed", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait();
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), status.signal(), said)
}

/// Waits until faults are due.
fn faults_begin(world: &World) {
    eventually("the main phase", || world.has_recorded(r#""value":"main""#));
}

#[test]
fn interrupted_it_heals_judges_and_answers_unknown() {
    let Some(world) = World::new() else { return };
    let (exit, _, said) = signalled(&world, Signal::SIGINT, || faults_begin(&world));
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    let kept = world.latest();
    for file in ["history.jsonl", "verdict.json", "report.txt"] {
        assert!(kept.join(file).exists(), "{file} is missing");
    }
    world.assert_clean();
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_but_its_history() {
    let Some(world) = World::new() else { return };
    let kills = std::env::var("SPLITBRAIN_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u64 = kills.unwrap_or(4);
    for turn in 0..kills {
        // Spread over start-up, baseline and the first faults, without a clock for a seed.
        let after = Duration::from_millis(50 + (turn * 7_919 + 137) % 9_000);
        // The last one has surely done something.
        let wait = || match turn + 1 < kills {
            true => sleep(after),
            false => faults_begin(&world),
        };
        let (_, signal, said) = signalled(&world, Signal::SIGKILL, wait);
        assert_eq!(signal, Some(9), "{said}");
        world.assert_clean();
    }
    let check = world.command(&["check", world.latest().to_str().unwrap()]);
    assert!(check.exit.is_some_and(|exit| exit <= 2), "{}", check.said);
}
