//! The example is built, found as what it is, and runs.

use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_my-database");

/// A server must stand beside it; nothing is built when it does already.
fn build_the_server() {
    let target = Path::new(PROGRAM).ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "splitbrain-store"]).env("CARGO_TARGET_DIR", target);
    if Path::new(PROGRAM).ancestors().nth(1).unwrap().ends_with("release") {
        build.arg("--release");
    }
    assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
}

#[test]
fn a_database_of_ones_own_runs_under_faults() {
    build_the_server();
    let world = tempfile::tempdir().unwrap();
    let program = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(world.path());
        command.env("SPLITBRAIN_STATE_DIR", world.path().join("state")).output().unwrap()
    };
    let list = String::from_utf8(program(&["list", "databases"]).stdout).unwrap();
    assert!(list.contains("my-database"), "{list}");
    // Nothing says what to test: it is this one.
    let flags = ["--time-limit", "4s", "--faults", "pause", "--seed", "1", "--json"];
    let ran = program(&[&["run", "--nodes", "3"][..], &flags].concat());
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let verdict: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&verdict["verdict"], &verdict["class"]), (&"valid".into(), &"linearizable".into()));
    assert_eq!(verdict["faults"][0]["effect"], "installed", "{verdict}");
    assert!(verdict["run"].as_str().unwrap().contains("my-database"), "{verdict}");
}

#[test]
fn it_is_short_enough_to_be_read() {
    let text = include_str!("../src/main.rs");
    assert!(text.lines().count() <= 80, "as README says");
}
