//! Whole runs of the bundled store on hosts that are reached over SSH.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::hosts::{Hosts, LEASE, splitbrain};

/// `splitbrain run` on these hosts.
fn run(hosts: &Hosts, more: &[&str]) -> Command {
    let named: Vec<String> =
        (1..=hosts.all.len()).map(|n| format!("root@10.77.0.{n}:2222")).collect();
    let file = |path: &Option<PathBuf>| path.clone().expect("there is one");
    let mut command = Command::new(splitbrain());
    command.args(["run", "--env", "ssh", "--nodes", &named.join(","), "--json", "--seed", "1"]);
    command.arg("--ssh-key").arg(file(&hosts.access.key));
    command.arg("--ssh-config").arg(file(&hosts.access.config));
    command.args(["--lease", &format!("{}s", LEASE.as_secs())]).args(more);
    command.current_dir(hosts.folder()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(command: &mut Command, hosts: &Hosts) -> Child {
    let mut child = command.spawn().expect("started");
    // Until the first client has done something.
    let history = hosts.folder().join("store/latest/history.jsonl");
    let until = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&history).is_ok_and(|text| text.contains("\"value\":\"baseline\"")) {
        if child.try_wait().expect("asked").is_some() || Instant::now() > until {
            let _ = child.kill();
            panic!("it does not begin: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// A cut that is long enough to be judged, however long a busy machine takes to verify it, and more; and
/// so little load, with so much time for it, that such a machine carries it.
const PLAN: &str = r#"
    target = "store/raft"
    deadline = "2s"
    workload = { rate = 60 }
    phases = { baseline = "3s", main = "13s", after = "1s" }
    faults = [
        { name = "primaries", at = "500ms", for = "10s" },
        { name = "kill", at = "11s", for = "500ms" },
        { name = "pause", at = "12s", for = "500ms" },
    ]
"#;

/// The verdict, the report and the logs are there although a connection broke in between.
pub fn interrupted_run() {
    let hosts = Hosts::start(5);
    let plan = hosts.folder().join("plan.toml");
    fs::write(&plan, PLAN).expect("written");
    let flags = ["--plan", plan.to_str().expect("text"), "--i-own-these-hosts"];
    let child = started(&mut run(&hosts, &flags), &hosts);
    // Before the first fault: what a cut does to the system under test is not the question here.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(hosts.interrupt(child.id(), 1), 1, "one connection to n2");
    let output = child.wait_with_output().expect("it ends");
    hosts.assert_clean_within(Duration::ZERO);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let verdict: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&verdict["class"], &verdict["cap"]), (&"linearizable".into(), &"CP".into()));
    let faults = verdict["faults"].as_array().expect("an array");
    assert!(!faults.is_empty());
    for fault in faults {
        assert_eq!(fault["effect"], "installed", "{fault}");
        println!("{} in force after {} ms", fault["name"], fault["decided_to_in_force_ms"]);
    }
    println!("{} operations", verdict["operations"]);
    let kept = hosts.folder().join("store/latest");
    for node in 1..=5 {
        let log = fs::metadata(kept.join(format!("n{node}/store.log"))).expect("it was collected");
        assert!(log.len() > 0, "the log of n{node} is empty");
    }
    let plan = fs::read_to_string(kept.join("plan.json")).expect("kept");
    assert!(!plan.contains("i_own") && plan.contains("root@10.77.0.5:2222"), "{plan}");
    hosts.end();
}

/// What breaks hosts is not done without leave, and wrong hosts are wrong usage.
pub fn faults_need_leave() {
    let hosts = Hosts::start(1);
    let check = |command: &mut Command, exit: i32, parts: &[&str]| {
        let output = command.output().expect("started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
        hosts.assert_clean_within(Duration::ZERO);
    };
    check(&mut run(&hosts, &[]), 64, &["--i-own-these-hosts", "--faults none"]);
    check(&mut run(&hosts, &["--faults", "kill"]), 64, &["--i-own-these-hosts"]);
    let mut unknown = Command::new(splitbrain());
    unknown.args([
        "run",
        "--env",
        "ssh",
        "--faults",
        "none",
        "--nodes",
        "root@no-such-host.invalid",
    ]);
    check(&mut unknown, 64, &["no-such-host.invalid", "unknown"]);
    let mut keyless = Command::new(splitbrain());
    keyless.args(["run", "--env", "ssh", "--faults", "none", "--nodes", "root@10.77.0.1"]);
    check(keyless.args(["--ssh-key", "/no/such/key"]), 64, &["/no/such/key"]);
    let mut twice = Command::new(splitbrain());
    twice.args(["run", "--env", "ssh", "--faults", "none"]);
    check(twice.args(["--nodes", "a=10.77.0.1,b=10.77.0.1"]), 64, &["10.77.0.1", "twice"]);
    // Without faults nobody has to say anything.
    let calm = ["--faults", "none", "--time-limit", "2s", "--mode", "cache", "--expect", "weak"];
    let output = run(&hosts, &calm).output().expect("started");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    hosts.assert_clean_within(Duration::ZERO);
    hosts.end();
}

/// A run that is killed in the middle of a fault leaves nothing once the lease is over.
pub fn killed_run() {
    let hosts = Hosts::start(3);
    let flags = ["--faults", "halves", "--time-limit", "20s", "--i-own-these-hosts"];
    let mut child = started(&mut run(&hosts, &flags), &hosts);
    let until = Instant::now() + Duration::from_secs(20);
    while !hosts.left_on(0).is_some_and(|left| left.contains("DROP")) {
        assert!(Instant::now() < until, "no fault");
    }
    child.kill().expect("killed");
    child.wait().expect("waited for");
    hosts.assert_clean_within(LEASE + Duration::from_secs(5));
    hosts.end();
}
