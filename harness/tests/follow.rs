//! `splitbrain check --follow`: histories that grow while they are judged.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BEGINNING: &str = r#"{"process":0,"type":"invoke","f":"write","value":1,"time":10}
{"process":0,"type":"ok","f":"write","value":1,"time":20}
{"process":1,"type":"invoke","f":"read","value":null,"time":30}
"#;
const STALE: &str = r#"{"process":1,"type":"ok","f":"read","value":null,"time":40}
"#;
const FRESH: &str = r#"{"process":1,"type":"ok","f":"read","value":1,"time":40}
"#;
const TEARDOWN: &str = r#"{"process":"harness","type":"info","f":"phase","value":"teardown","time":50}
"#;

/// Longer than any answer takes here, shorter than the patience of a person.
const SOON: Duration = Duration::from_secs(20);

fn start(path: &str, flags: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_splitbrain"))
        .args(["check", path, "--follow", "--json"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// What it says when it has ended, by itself.
fn ended(mut child: Child) -> (Option<i32>, Value) {
    let until = Instant::now() + SOON;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("no answer after {SOON:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    let verdict = serde_json::from_slice(&stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    (status.code(), verdict)
}

/// Still at work after a while in which it could have answered.
#[track_caller]
fn assert_waits(child: &mut Child) {
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it ended too early");
}

#[test]
fn a_growing_file_is_refuted_as_soon_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut file = File::create(&path).unwrap();
    file.write_all(BEGINNING.as_bytes()).unwrap();
    let mut child = start(path.to_str().unwrap(), &[]);
    assert_waits(&mut child);
    let (half, rest) = STALE.split_at(STALE.len() / 2);
    file.write_all(half.as_bytes()).unwrap();
    assert_waits(&mut child);
    let written = Instant::now();
    file.write_all(rest.as_bytes()).unwrap();
    let (exit, verdict) = ended(child);
    eprintln!("told {:?} after the last byte was written", written.elapsed());
    assert_eq!(exit, Some(1), "{verdict}");
    assert_eq!(verdict["violations"][0]["name"], "stale-read");
    assert!(verdict["remarks"][0].as_str().unwrap().contains("line 4"), "{verdict}");
}

#[test]
fn a_growing_file_without_a_violation_is_judged_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut file = File::create(&path).unwrap();
    let mut child = start(path.to_str().unwrap(), &[]);
    file.write_all(BEGINNING.as_bytes()).unwrap();
    file.write_all(FRESH.as_bytes()).unwrap();
    assert_waits(&mut child);
    file.write_all(TEARDOWN.as_bytes()).unwrap();
    let (exit, verdict) = ended(child);
    assert_eq!(exit, Some(0), "{verdict}");
    assert_eq!(verdict["operations"], 2);
}

#[test]
fn standard_input_is_followed_too() {
    let mut child = start("-", &[]);
    let mut input = child.stdin.take().unwrap();
    input.write_all(BEGINNING.as_bytes()).unwrap();
    assert_waits(&mut child);
    input.write_all(STALE.as_bytes()).unwrap();
    // The input is still open.
    assert_eq!(ended(child).0, Some(1));

    let mut child = start("-", &[]);
    child.stdin.take().unwrap().write_all((BEGINNING.to_owned() + FRESH).as_bytes()).unwrap();
    assert_eq!(ended(child).0, Some(0));
}

#[test]
fn what_was_not_expected_to_hold_does_not_end_it() {
    let mut child = start("-", &["--expect", "weak"]);
    let mut input = child.stdin.take().unwrap();
    input.write_all((BEGINNING.to_owned() + STALE).as_bytes()).unwrap();
    assert_waits(&mut child);
    drop(input);
    let (exit, verdict) = ended(child);
    assert_eq!(exit, Some(0), "{verdict}");
    assert_eq!(verdict["ladder"]["linearizable"], "invalid");
}

#[test]
fn a_line_that_does_not_belong_ends_it() {
    let mut child = start("-", &[]);
    child.stdin.take().unwrap().write_all(b"nonsense\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1"));
}
