//! `splitbrain check --follow`: histories that grow while they are judged.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::libc::{FIONREAD, SIGINT, ioctl};
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

/// Longer than any answer takes here, also on a machine that does much else.
const SOON: Duration = Duration::from_secs(60);

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

/// Waits until something is so that has to come.
#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < until, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until it has read all that there is of a file, and looks for more.
#[track_caller]
fn until_all_is_read(child: &mut Child, path: &Path) {
    let process = Path::new("/proc").join(child.id().to_string());
    let length = std::fs::metadata(path).map_or(0, |file| file.len());
    let position = |fd: &std::ffi::OsStr| -> Option<u64> {
        let info = std::fs::read_to_string(process.join("fdinfo").join(fd)).ok()?;
        info.lines().next()?.strip_prefix("pos:")?.trim().parse().ok()
    };
    eventually("all is read", || {
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|link| link == path))
            .any(|fd| position(&fd.file_name()) == Some(length))
    });
    assert_waits(child);
}

/// The same of what was written to its input.
#[track_caller]
fn until_input_is_read(child: &mut Child, input: &ChildStdin) {
    eventually("all is read", || {
        let mut left = 0;
        // SAFETY: it writes one number, for which there is room.
        assert!(unsafe { ioctl(input.as_raw_fd(), FIONREAD, &raw mut left) } == 0);
        left == 0
    });
    assert_waits(child);
}

/// Waits until Ctrl-C is no longer its end.
#[track_caller]
fn until_it_hears_ctrl_c(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    eventually("Ctrl-C is caught", || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (SIGINT - 1) != 0
    });
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

/// A mutex that two processes hold at once, with the line that says so.
const HELD_TWICE: [&str; 4] = [
    r#"{"process":0,"type":"invoke","f":"acquire","time":10}"#,
    r#"{"process":0,"type":"ok","f":"acquire","time":20}"#,
    r#"{"process":1,"type":"invoke","f":"acquire","time":30}"#,
    r#"{"process":1,"type":"ok","f":"acquire","time":40}"#,
];

#[test]
fn objects_that_are_no_registers_are_refuted_early_too() {
    let (twice, open) = (HELD_TWICE.join("\n") + "\n", HELD_TWICE[..3].join("\n") + "\n");
    let mut child = start("-", &["--model", "mutex"]);
    let mut input = child.stdin.take().unwrap();
    input.write_all(open.as_bytes()).unwrap();
    assert_waits(&mut child);
    let more = r#"{"process":2,"type":"invoke","f":"release","time":50}"#;
    input.write_all((twice[open.len()..].to_owned() + "\n" + more + "\n").as_bytes()).unwrap();
    // The input is still open.
    let (exit, verdict) = ended(child);
    assert_eq!(exit, Some(1), "{verdict}");
    assert_eq!(verdict["remarks"][0], "certain at line 4, whatever follows");
    assert_eq!(verdict["operations"], 2);
    // The twin.
    let mut child = start("-", &["--model", "mutex"]);
    let mut input = child.stdin.take().unwrap();
    input.write_all(twice.replacen("\"ok\"", "\"fail\"", 1).as_bytes()).unwrap();
    assert_waits(&mut child);
    drop(input);
    assert_eq!(ended(child).0, Some(0));
}

#[test]
fn a_line_that_does_not_belong_ends_it_whatever_the_model_is() {
    let mut child = start("-", &["--model", "mutex"]);
    let mut input = child.stdin.take().unwrap();
    input.write_all((HELD_TWICE[0].to_owned() + "\n" + HELD_TWICE[0] + "\n").as_bytes()).unwrap();
    let (exit, error) = ended(child);
    assert_eq!((exit, &error["line"]), (Some(64), &2.into()), "{error}");
    // Nor do operations that the model does not have wait for the end.
    let mut child = start("-", &["--model", "mutex"]);
    let mut input = child.stdin.take().unwrap();
    input.write_all(BEGINNING.as_bytes()).unwrap();
    let (exit, error) = ended(child);
    assert_eq!((exit, &error["line"]), (Some(64), &1.into()), "{error}");
}

#[test]
fn the_exact_line_is_named_however_much_comes_at_once() {
    let mut text = BEGINNING.to_owned() + STALE;
    for process in 2..3_000 {
        text += &format!(r#"{{"process":{process},"type":"invoke","f":"read","time":50}}"#);
        text += "\n";
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, text).unwrap();
    for flags in [&[][..], &["--failed-cas", "observed"]] {
        let (exit, verdict) = ended(start(path.to_str().unwrap(), flags));
        assert_eq!(exit, Some(1), "{verdict}");
        assert_eq!(verdict["remarks"][0], "certain at line 4, whatever follows");
    }
}

/// Presses Ctrl-C.
fn interrupt(child: &Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

#[test]
fn ctrl_c_gives_the_verdict_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, BEGINNING.to_owned() + FRESH).unwrap();
    for path in ["-", path.to_str().unwrap()] {
        let mut child = start(path, &[]);
        let mut input = child.stdin.take().unwrap();
        input.write_all((BEGINNING.to_owned() + FRESH).as_bytes()).unwrap();
        until_it_hears_ctrl_c(&child);
        match path {
            "-" => until_input_is_read(&mut child, &input),
            path => until_all_is_read(&mut child, Path::new(path)),
        }
        interrupt(&child);
        let (exit, verdict) = ended(child);
        assert_eq!(exit, Some(0), "{verdict}");
        let remark = "interrupted after line 4: this is the verdict so far";
        assert_eq!(verdict["remarks"][0], remark);
    }
}

#[test]
fn a_file_that_is_cut_replaced_or_removed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let refused = |change: &dyn Fn(), says: &str| {
        std::fs::write(&path, BEGINNING).unwrap();
        let mut child = start(path.to_str().unwrap(), &[]);
        until_all_is_read(&mut child, &path);
        change();
        let (exit, error) = ended(child);
        assert_eq!(exit, Some(64), "{error}");
        assert!(error["error"].as_str().unwrap().contains(says), "{error}");
    };
    refused(&|| std::fs::write(&path, "").unwrap(), "it was cut to 0 bytes after");
    let other = folder.path().join("other");
    let rotate = || {
        std::fs::write(&other, BEGINNING.to_owned() + FRESH).unwrap();
        std::fs::rename(&other, &path).unwrap();
    };
    refused(&rotate, "found another in its place");
    refused(&|| std::fs::remove_file(&path).unwrap(), "found it gone");
}

#[test]
fn standard_input_may_have_any_format_and_a_followed_file_only_one() {
    let edn = "{:process 0, :type :invoke, :f :write, :value 1}
        {:process 0, :type :ok, :f :write, :value 1}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :ok, :f :read, :value nil}";
    let check = |flags: &[&str], text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
        command.args(["check", "-", "--json"]).args(flags);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        ended(child)
    };
    let fresh = edn.replace(":ok, :f :read, :value nil", ":ok, :f :read, :value 1");
    for flags in [&[][..], &["--format", "edn"]] {
        let (exit, verdict) = check(flags, edn);
        assert_eq!((exit, &verdict["operations"]), (Some(1), &2.into()), "{verdict}");
        assert_eq!(check(flags, &fresh).0, Some(0));
    }
    assert_eq!(check(&["--format", "jsonl"], edn).0, Some(64));
    let keyed = BEGINNING.replace("\"value\":1", "\"value\":[7,1]").replace("null", "[8,null]");
    let read = |value: &str| keyed.clone() + &STALE.replace("null", value);
    assert_eq!(check(&["--independent"], &read("[8,null]")).0, Some(0));
    assert_eq!(check(&["--independent"], &read("[8,1]")).0, Some(1));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.edn");
    std::fs::write(&path, edn).unwrap();
    let (exit, error) = ended(start(path.to_str().unwrap(), &[]));
    assert_eq!(exit, Some(64), "{error}");
    let says = "expected JSON lines, which alone can be followed, found edn";
    assert!(error["error"].as_str().unwrap().contains(says), "{error}");
}
