//! What a test looks at from outside of a run.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

/// Waits until something is so. Nothing may be left 5 s after a run.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < until, "not within 5 s: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The keeper of the only run whose journal is in the current folder.
pub fn journaled_keeper() -> Pid {
    let journal = fs::read_dir(".")
        .expect("readable")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .expect("a journal");
    let text = fs::read_to_string(journal).expect("readable");
    let line = text.lines().find(|line| line.contains("\"keeper\"")).expect("it is listed");
    let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    Pid::from_raw(entry["process"]["pid"].as_i64().expect("its number") as i32)
}
