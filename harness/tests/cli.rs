//! The command line as a contract: messages that name the place and the allowed values, and the
//! right exit code.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn splitbrain(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_splitbrain"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

/// Runs it in an empty folder and compares its exit code and a part of what it says; a usage error
/// must leave nothing in the folder.
#[track_caller]
fn check(args: &str, exit: i32, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let args: Vec<&str> = args.split_whitespace().collect();
    let output = splitbrain(&args, folder.path());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(said.contains(says), "{said}\ndoes not say\n{says}");
    assert!(!said.contains("panicked"), "{said}");
    if exit == 64 {
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "a usage error left something behind");
    }
}

/// Judges a history that is given as text.
#[track_caller]
fn check_history(history: &str, flags: &str, exit: i32, says: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.jsonl"), history).unwrap();
    let mut args = vec!["check", "history.jsonl"];
    args.extend(flags.split_whitespace());
    let output = splitbrain(&args, folder.path());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(said.contains(says), "{said}\ndoes not say\n{says}");
    output
}

const VALID: &str = r#"{"process":0,"type":"invoke","f":"write","value":1,"time":10}
{"process":0,"type":"ok","f":"write","value":1,"time":20}
{"process":1,"type":"invoke","f":"read","value":null,"time":30}
{"process":1,"type":"ok","f":"read","value":1,"time":40}
"#;

fn stale() -> String {
    VALID.replace(r#""f":"read","value":1"#, r#""f":"read","value":null"#)
}

#[test]
fn usage_errors_name_what_is_allowed() {
    check("run --colour", 64, "unexpected argument '--colour'");
    check("run --mode paxos", 64, "there are: raft, single, primary-backup");
    check("run --db oracle", 64, "there are: bind, command, etcd");
    check("run --db etcd --mode raft", 64, "cannot be used with");
    check("run --db etcd --db-option read-mode=near", 64, "expected: linearizable, serializable");
    check("run --db etcd@speed=3", 64, "etcd has no option \"speed\"; it has: read-mode, pre-vote");
    check("run --db-option read-mode=local", 64, "--db <DB>");
    check("run --workload banque", 64, "there are: append, bank");
    check("run --keys 0", 64, "workload.keys is 0; allowed are 1 to 1000000");
    check(
        "run --key-choice hottest",
        64,
        "expected one of `uniform`, `zipf`, `exponential`, `hot`",
    );
    check(
        "run --workload append --max-txn-length 5000",
        64,
        "max_txn_length is 5000; allowed are 1 to 1000",
    );
    let txn = "run --workload append --min-txn-length 5 --max-txn-length 4";
    check(
        txn,
        64,
        "workload.min_txn_length is 5; allowed are 1 to workload.max_txn_length, which is 4",
    );
    let register = "workload.max_txn_length means nothing to the workload register; it does to: append, log, wr";
    check("run --max-txn-length 2", 64, register);
    check("run --workload bank --values 5", 64, "it does to: register, session");
    check("run --workload bank --accounts 1", 64, "workload.accounts is 1; allowed are 2 to 1000");
    check("run --workload bank --total 0", 64, "workload.total is 0; allowed are 1 to ");
    check("run --workload bank --max-transfer 0", 64, "max_transfer is 0; allowed are 1 to ");
    for setting in ["--accounts 3", "--total 9", "--max-transfer 2", "--negative-balances"] {
        let told = "means nothing to the workload append; it does to: bank";
        check(&format!("run --workload append {setting}"), 64, told);
    }
    for setting in ["--keys 3", "--ops-per-key 9", "--key-choice hot"] {
        let told = "means nothing to the workload bank; it does to: append, ";
        check(&format!("run --workload bank {setting}"), 64, told);
    }
    check(
        "run --workload log --sub-via group",
        64,
        "expected one of `assign`, `subscribe`, `both`",
    );
    check("run --txn", 64, "means nothing to the workload register; it does to: log");
    check("run --workload wr --value-bytes 9", 64, "allowed are 64 to 65536, or two such numbers");
    let bank = "workload.value_bytes means nothing to the workload bank; it does to: append, register, \
                session, wr";
    check("run --workload bank --value-bytes 64", 64, bank);
    let numbers = "keeps the values of list-append as numbers; it keeps texts of: nothing";
    check("run --db postgres --workload append --value-bytes 64..128", 64, numbers);
    check("run --until tired", 64, "possible values: invalid");
    check("run --until invalid --expect eventual", 64, "may still make it eventual");
    check("run --env moon", 64, "there are: external, local");
    check("run --faults meteor", 64, "there is no fault \"meteor\"; there are ");
    check("run --faults halves:all", 64, "takes no targets");
    check("run --faults kill:n9", 64, "there is no node \"n9\"");
    check("run --time-limit 30", 64, "write a number with its unit");
    check("run --time-limit 10ms", 64, "at least 1s is needed");
    check("run --expect perfect", 64, "there are: linearizable, eventual, weak");
    check("run --nodes 51", 64, "allowed are 1 to 50");
    check(
        "run --db mariadb --nodes 3",
        64,
        "mariadb has one node, not 3: servers of it know nothing of each other; MariaDB's cluster is --db galera",
    );
    check("run --nodes 0", 64, "allowed are 1 to 50");
    check("run --rate 0", 64, "must be above 0");
    check("run --concurrency 0", 64, "allowed are 1 to 1000");
    check("run --deadline 20s", 64, "longer than the time limit");
    check("run --plan none.toml", 64, "none.toml cannot be read");
    check("run --nodes http://127.0.0.1:1", 64, "--env external");
    check("run --env external", 64, "--nodes http://HOST:PORT");
    check("run --env ssh", 64, "--nodes root@HOST:PORT");
    check("run --env ssh --nodes=-oProxyCommand=x", 64, "no address");
    check("run --env ssh --nodes 127.0.0.1:1", 64, "--i-own-these-hosts");
    check("run --env ssh --nodes 127.0.0.1:1 --lease 1s --faults none", 64, "a lease of 1s");
    let eio = "run --env ssh --nodes 127.0.0.1:1 --i-own-these-hosts --faults eio";
    check(eio, 64, "cannot be had");
    check("run --sudo", 64, "--env ssh");
    check("run --env external --nodes 127.0.0.1:1", 64, "has no URL such as http://");
    check("run --env external --nodes https://127.0.0.1:1", 64, "only http://HOST:PORT");
    check("run --env external --nodes http://127.0.0.1:1 --faults kill", 64, "faults need nodes");
    let url = "http://127.0.0.1:1";
    check(&format!("run --env external --nodes {url},{url}"), 64, "same URL as another");
    check("run --env external --nodes http://127.0.0.1:1/x?y", 64, "only http://HOST:PORT");
    check("run --nodes 1 --faults halves", 64, "halves cannot be had: needs at least 2 nodes");
    check("run --time-limit 8000h", 64, "too long");
    check("run --deadline 1ms --op-timeout 1h", 64, "allowed are 20000");
    check("demo --time-limit 0s", 64, "at least 1s");
    check("track", 64, "the folder examples/track cannot be read");
    check("track --only x .", 64, "has no case in it");
    check("list moons", 64, "possible values: modes");
    check("check", 64, "required arguments");
    check("", 64, "Usage");
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["run", "--env", "external", "--nodes", "http://user:secret@127.0.0.1:1"];
    let output = splitbrain(&args, folder.path());
    assert_eq!(output.status.code(), Some(64));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
}

#[test]
fn nobody_reading_is_no_reason_to_panic() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["list"][..], &["check", "no-such-file"], &["run", "--mode", "paxos"]] {
        let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_splitbrain"))
            .args(args)
            .current_dir(folder.path())
            .stdout(full())
            .stderr(full())
            .status()
            .unwrap();
        assert!([Some(64), Some(70)].contains(&status.code()), "{args:?}: {status}");
    }
}

#[test]
fn a_plan_with_an_error_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.toml"), "seed = 1\n[phases]\nmain = \"9\"\n").unwrap();
    let output = splitbrain(&["run", "--plan", "plan.toml"], folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("line 3") && said.contains("250ms, 30s, 2m"), "{said}");
}

#[test]
fn a_history_is_judged() {
    check_history(VALID, "", 0, "valid: no anomaly found in this history");
    check_history(&stale(), "", 1, "stale-read x1");
    check_history(&stale(), "--expect weak", 0, "valid");
    check_history(&stale(), "--nil-read any", 0, "valid");
    check_history(VALID, "--initial 7", 0, "valid");
}

#[test]
fn other_objects_are_judged_by_their_model() {
    let lock = |second: &str| {
        let line = |process: u8, kind: &str, f: &str, time: u8| {
            format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","time":{time}}}"#)
        };
        [
            line(0, "invoke", "acquire", 1),
            line(0, "ok", "acquire", 2),
            line(0, "invoke", second, 3),
            line(0, "ok", second, 4),
            line(1, "invoke", "acquire", 5),
            line(1, "ok", "acquire", 6),
        ]
        .join("\n")
    };
    check_history(&lock("release"), "--model mutex", 0, "valid");
    check_history(&lock("acquire"), "--model mutex", 1, "non-linearizable x1");
    check_history(VALID, "--model teapot", 64, "there is no model teapot; there are ");
    check_history(VALID, "--explain-plan", 0, "the object: ");
}

#[test]
fn failed_cas_are_answers_if_that_is_asked_for() {
    let failed = r#"{"process":2,"type":"invoke","f":"cas","value":[1,2],"time":50}
{"process":2,"type":"fail","f":"cas","value":[1,2],"error":{"kind":"mismatch"},"time":60}
"#;
    let history = format!("{VALID}{failed}");
    check_history(&history, "", 0, "linearizable");
    check_history(&history, "--failed-cas ignored", 0, "linearizable");
    check_history(&history, "--failed-cas observed", 1, "non-linearizable x1");
    let other = history.replace("[1,2]", "[3,2]");
    check_history(&other, "--failed-cas observed", 0, "linearizable");
    check_history(&history, "--failed-cas denied", 64, "ignored, observed");
}

#[test]
fn json_is_exactly_one_object() {
    let output = check_history(&stale(), "--json", 1, "{");
    assert!(output.stderr.is_empty());
    let verdict: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(verdict["format"], 1);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(verdict["expect"], "linearizable");
    assert_eq!(verdict["ladder"]["linearizable"], "invalid");
    assert_eq!(verdict["operations"], 2);
    assert_eq!(verdict["violations"][0]["name"], "stale-read");
    assert!(verdict["check_ms"].is_f64());
}

#[test]
fn bad_histories_are_refused_with_their_line() {
    check_history(&format!("{VALID}nonsense\n"), "", 64, "line 5");
    let twice = VALID.replace(r#""type":"ok","f":"write""#, r#""type":"invoke","f":"write""#);
    check_history(&twice, "", 64, "line 2");
    let back = VALID.replace(r#""time":40"#, r#""time":15"#);
    check_history(&back, "", 0, "the clock went back, first at line 4");
    let orphan = VALID.lines().skip(1).collect::<Vec<_>>().join("\n");
    check_history(&orphan, "", 64, "line 1");
    check_history(VALID, "--format fressian", 64, "there are: jsonl, edn, json, porcupine");
    check("check no-such-file", 64, "no-such-file");
}

#[test]
fn an_empty_file_is_refused_and_a_history_without_success_is_unknown() {
    check_history("", "", 64, "history.jsonl: line 1: expected an event, found none");
    check_history("{\"splitbrain\":1}\n", "", 2, "vacuous");
    let failed = VALID.replace(r#""type":"ok""#, r#""type":"fail""#);
    check_history(&failed, "", 2, "vacuous");
}

#[test]
fn a_last_line_that_is_cut_off_is_left_out_and_reported() {
    let cut = format!("{VALID}{{\"process\":1,\"type\":\"inv");
    check_history(&cut, "", 0, "the last line, 5, is cut off");
}

/// The one JSON object that stands for an error.
#[track_caller]
fn error_of(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(64));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn errors_are_json_too() {
    let error = error_of(&check_history(&format!("{VALID}nonsense\n"), "--json", 64, "line 5"));
    assert_eq!(error["line"], 5);
    let text = error["error"].as_str().unwrap();
    assert!(text.starts_with("history.jsonl: line 5: expected a JSON event"), "{text}");
    let error = error_of(&check_history(VALID, "--json --model counter", 64, "line 1"));
    assert_eq!(error["line"], 1);
    let text = error["error"].as_str().unwrap();
    assert!(text.contains("add of a whole number") && text.contains("found write 1"), "{text}");
    let error = error_of(&check_history(VALID, "--json --colour", 64, "--colour"));
    assert!(error["error"].as_str().unwrap().contains("--colour") && error["line"].is_null());
    let error = error_of(&check_history(VALID, "--json --initial 1e", 64, "JSON"));
    assert!(error["error"].as_str().unwrap().contains("--initial"), "{error}");
    // Only where it was asked for.
    assert!(check_history("", "", 64, "line 1").stdout.is_empty());
}

#[test]
fn values_that_json_would_round_are_refused() {
    let long = VALID.replace("\"value\":1", "\"value\":18446744073709551616");
    check_history(&long, "", 64, "line 1: expected whole numbers of at most 64 bits");
    check_history(VALID, "--initial 18446744073709551616", 64, "at most 64 bits");
    check_history(VALID, "--initial \"18446744073709551616\"", 0, "valid");
}

#[test]
fn long_lines_are_not_repeated() {
    let long = "x".repeat(1_000_000);
    for (format, text) in [
        ("edn", format!("{{:type :invoke, :process \"{long}\"}}")),
        (
            "edn",
            format!("{{:type :invoke, :process 0, :f :{long}}} {{:type :ok :process 0, :f 7}}"),
        ),
        ("jsonl", format!("{{\"type\":\"{long}\"}}\n")),
        ("jsonl", format!("{{\"type\":\"ok\",\"process\":0,\"f\":\"{long}\"}}\n")),
        ("json", format!("[{{\"type\":\"{long}\"}}]")),
        ("porcupine", format!("INFO jepsen.util - 0 :invoke \"{long}")),
        ("plume", long.clone()),
    ] {
        let output = check_history(&text, &format!("--format {format}"), 64, "line 1: expected");
        assert!(output.stderr.len() < 1_000, "{format}: {} bytes", output.stderr.len());
    }
}

#[test]
fn everything_is_listed_with_a_sentence() {
    check("list", 0, "primaries");
    check("list modes", 0, "gossip");
    check("list databases", 0, "etcd");
    check("list databases", 0, "@read-mode=linearizable|serializable (");
    check("list bugs", 0, "lost-fsync");
    check("list environments", 0, "external");
    check("list environments", 0, "ssh");
    check("list workloads", 0, "register");
    check("list faults", 0, "isolate-leader");
}

#[test]
fn an_address_that_does_not_answer_fails_the_harness() {
    let args = "run --db etcd --env external --nodes http://127.0.0.1:1 --time-limit 1s";
    check(args, 70, "n1 (http://127.0.0.1:1) does not serve");
}

#[test]
fn a_program_that_is_missing_is_named_with_the_command_that_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    // Alone in a folder, and with nothing to be found by name, but for what is in /usr/sbin.
    let alone = folder.path().join("splitbrain");
    // Written by somebody else: what was just forked beside this test would hold a file that it had written
    // open, and nobody could run it.
    let copied =
        Command::new("cp").args([env!("CARGO_BIN_EXE_splitbrain").as_ref(), &*alone]).status();
    assert!(copied.unwrap().success());
    let check = |flags: &[&str], says: &str| {
        let output = Command::new(&alone)
            .arg("run")
            .args(flags)
            .env("PATH", folder.path())
            .env_remove("CARGO")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(70), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(!folder.path().join("store").exists(), "it is found before a run begins");
    };
    check(&["--db", "etcd"], "apt-get install etcd-server");
    check(&["--db", "memcached"], "apt-get install memcached");
    check(&["--db", "redis-cluster", "--env", "local"], "apt-get install redis-server");
    check(&["--db", "redis-sentinel", "--env", "local"], "apt-get install redis-server");
    check(&["--db", "zookeeper", "--env", "local"], "apt-get install zookeeper");
    check(&[], "cargo build --release --workspace");
}

#[test]
fn a_sweep_grows_one_thing() {
    check(
        "scale --clients 1,2 --nodes 3,5",
        64,
        "only one of --clients, --rates, --nodes and --keys",
    );
    check("scale --clients 4", 64, "nothing grows");
    check("scale --clients 0,1", 64, "--clients 0: at least 1");
    check("scale --clients 1,2 --rates 5", 64, "cannot be used with");
    check("scale --rates 0,5", 64, "a rate is above 0");
    check("scale --slow cpu:minority", 64, "name the one node");
    check("scale --slow nonsense", 64, "nonsense");
    check("scale --time-limit 10ms", 64, "at least 1s");
}

/// What `report` says of a history in a format.
fn report_of(history: &str, format: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.jsonl"), history).unwrap();
    let args = ["report", "history.jsonl", "--format", format];
    let output = splitbrain(&args, folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_report_can_be_had_in_every_format() {
    let stale = stale();
    let verdict: Value = serde_json::from_str(&report_of(&stale, "json")).unwrap();
    assert_eq!(verdict["verdict"], "invalid");
    assert!(report_of(&stale, "text").contains("stale-read x1"));
    assert!(report_of(&stale, "html").starts_with("<!doctype html>"));
    assert!(report_of(&stale, "markdown").contains("**stale-read** x1"));
    let csv = report_of(&stale, "csv");
    assert_eq!(csv.lines().nth(2), Some("2,1,,,read,,null,null,ok,30,30,40"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
}

/// Two transactions of which neither saw the other.
const SKEW: &str = r#"{"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",2]]}
{"process":0,"type":"ok","f":"txn","value":[["r","x",[]],["append","y",1]]}
{"process":1,"type":"ok","f":"txn","value":[["r","y",[]],["append","x",2]]}
"#;

#[test]
fn a_cycle_is_drawn_whatever_becomes_of_graphviz() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.jsonl"), SKEW).unwrap();
    for script in ["#!/bin/sh\nexit 7\n", "#!/bin/sh\nexec sleep 600\n"] {
        let dot = folder.path().join("dot");
        std::fs::write(&dot, script).unwrap();
        std::fs::set_permissions(&dot, PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
            command.args(args).env("PATH", &path).current_dir(folder.path()).output().unwrap()
        };
        assert_eq!(run(&["check", "history.jsonl"]).status.code(), Some(1));
        let report = run(&["report", "history.jsonl", "--format", "html"]);
        assert_eq!(report.status.code(), Some(0));
        let page = String::from_utf8(report.stdout).unwrap();
        assert!(page.contains(r"\u003crect x="), "{script}");
    }
}

#[test]
fn a_ci_system_tells_invalid_from_unknown() {
    let invalid = report_of(&stale(), "junit");
    assert!(invalid.contains(r#"failures="1" errors="0""#), "{invalid}");
    let valid = report_of(VALID, "junit");
    assert!(valid.contains(r#"failures="0" errors="0""#), "{valid}");
    let vacuous: String = VALID
        .lines()
        .filter(|line| !line.contains(r#""type":"ok""#))
        .map(|line| format!("{line}\n"))
        .collect();
    let unknown = report_of(&vacuous.replace(r#""process":1"#, r#""process":2"#), "junit");
    assert!(unknown.contains(r#"failures="0" errors="1""#), "{unknown}");
    assert!(unknown.contains("vacuous"), "{unknown}");
}

#[test]
fn a_report_that_cannot_be_made_says_why() {
    check("report nowhere", 64, "nowhere");
    check("report nowhere --format pdf", 64, "html, text, json, junit, markdown, csv");
    check_history(VALID, "--json", 0, "valid");
}

#[test]
fn shells_and_man_know_the_commands() {
    check("completions bash", 0, "--time-limit");
    check("completions fish", 0, "follow");
    check("completions cmd", 64, "bash");
    check("man", 0, "Exit codes");
    check("man run", 0, "concurrency");
    check("man __agent", 64, "there are: run, demo");
}

#[test]
fn nines_are_told_with_their_downtime() {
    check("nines 99.99", 0, "52m 35.7s");
    check("nines --seq 99.9 --seq 99.9", 0, "99.8001%");
    check("nines --par 99.9 --par 99.9", 0, "99.9999%");
    check("nines --seq 99.9 --par 99 --par 99", 0, "99.89% ");
    check("nines 99.9 --json", 0, r#""nines":3.0"#);
    check("nines nowhere", 64, "nor is there a run or a file of that name");
    check("nines 101", 64, "a number of per cent from 0 to 100");
    check("nines", 64, "required");
}
