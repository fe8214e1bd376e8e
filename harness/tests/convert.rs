//! `splitbrain convert` as a user types it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn splitbrain(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    command.args(args).current_dir(folder).output().unwrap()
}

#[track_caller]
fn check(folder: &Path, args: &str, exit: i32, says: &str) -> Output {
    let output = splitbrain(&args.split_whitespace().collect::<Vec<_>>(), folder);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(said.contains(says), "{said}\ndoes not say\n{says}");
    output
}

const STALE: &str = r#"{"process":0,"type":"invoke","f":"write","key":"k","value":1,"time":10}
{"process":0,"type":"ok","f":"write","key":"k","value":1,"time":20}
{"process":1,"type":"invoke","f":"read","key":"k","value":null,"time":30}
{"process":1,"type":"ok","f":"read","key":"k","value":null,"time":40}
"#;

#[test]
fn a_history_keeps_its_verdict_in_every_notation() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("a.jsonl"), STALE).unwrap();
    check(folder, "check a.jsonl", 1, "stale-read x1");
    check(folder, "convert a.jsonl --to edn -o b.edn", 0, "");
    let edn = std::fs::read_to_string(folder.join("b.edn")).unwrap();
    assert!(edn.contains(":type :ok, :process 1, :f :read, :value [\"k\" nil]}"), "{edn}");
    check(folder, "check b.edn", 1, "stale-read x1");
    let printed = check(folder, "convert b.edn --from edn --to jsonl", 0, "\"key\":\"k\"").stdout;
    std::fs::write(folder.join("c.jsonl"), printed).unwrap();
    check(folder, "check c.jsonl", 1, "stale-read x1");
}

#[test]
fn standard_input_can_be_converted() {
    let converted = |input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
        command.args(["convert", "-", "--to", "edn"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = converted(STALE);
    assert_eq!(output.status.code(), Some(0));
    let written = String::from_utf8(output.stdout).unwrap();
    assert!(written.contains(":type :ok, :process 1, :f :read, :value [\"k\" nil]}"), "{written}");
    let output = converted("{}\n");
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("standard input: line 1: expected"), "{said}");
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let history = |text: &str| std::fs::write(folder.join("a.jsonl"), text).unwrap();
    history(STALE);
    check(folder, "convert a.jsonl --to xml", 64, "there are: jsonl, edn");
    check(folder, "convert a.jsonl --from xml --to edn", 64, "there are: jsonl, edn, json,");
    check(folder, "convert a.jsonl", 64, "--to <TO>");
    check(folder, "convert none.jsonl --to edn", 64, "none.jsonl");
    check(folder, "convert a.jsonl --to jsonl -o a.jsonl", 64, "overwritten by itself");
    check(folder, "convert a.jsonl --to edn -o no/such/folder.edn", 64, "no/such/folder.edn");
    assert_eq!(std::fs::read_to_string(folder.join("a.jsonl")).unwrap(), STALE);
    history(&STALE.replace("\"ok\",\"f\":\"read\"", "\"done\",\"f\":\"read\""));
    check(folder, "convert a.jsonl --to edn", 64, "a.jsonl: line 4: expected a JSON event");
    history("");
    check(folder, "convert a.jsonl --to edn", 64, "a.jsonl: line 1: expected an event, found none");
    history(&STALE[..STALE.len() - 9]);
    check(folder, "convert a.jsonl --to edn", 0, "line 4 breaks off");
    history("w(0,1,0,0)\nr(0,1,1,0)\n");
    check(folder, "convert a.jsonl --to edn", 0, "keeps no times");
}

#[test]
fn transactions_are_judged_by_their_levels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("a.txt"), "w(0,1,0,0)\nr(0,1,1,0)\n").unwrap();
    check(folder, "check a.txt", 0, "strong-session-serializable was expected");
    std::fs::write(folder.join("b.txt"), "w(0,1,0,0)\nw(1,1,0,0)\nr(1,0,1,0)\nr(0,1,1,0)\n")
        .unwrap();
    check(folder, "check b.txt", 1, "fractured-read");
    check(
        folder,
        "check b.txt --expect monotonic-atomic-view",
        0,
        "no anomaly found in this history that monotonic-atomic-view forbids",
    );
}

#[test]
fn what_no_check_fits_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let blob = format!("{{\"splitbrain\":1,\"vocabulary\":\"blob\"}}\n{STALE}");
    std::fs::write(folder.join("a.txt"), blob).unwrap();
    let says = "a.txt: expected a vocabulary that there is a check for, found blob; --model takes \
                register,";
    check(folder, "check a.txt", 64, says);
    check(folder, "check a.txt --json", 64, says);
    std::fs::write(folder.join("b.jsonl"), STALE.replace("write", "enqueue")).unwrap();
    check(
        folder,
        "check b.jsonl",
        64,
        "b.jsonl: line 1: expected an operation of a register: read, ",
    );
    check(folder, "check b.jsonl --model mutex", 64, "a mutex: acquire, release, found enqueue 1");
}
