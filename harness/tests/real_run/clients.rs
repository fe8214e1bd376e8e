//! Clients in other languages, and systems of which only a table of requests is known.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{World, eventually};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/clients");
/// Clients that break the rules, each in its own way.
const LIARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_run/liars.py");

fn python() -> String {
    format!("python3 {CLIENTS}/register.py {{url}}")
}

/// How the bundled store is started, as one that nobody knows.
fn start() -> String {
    let store = World::store();
    let flags = "--mode raft --id {node} --listen {address} --peers {peers} --data {data}";
    format!("{} {flags}", store.display())
}

/// Rule by rule, whether a client passes.
fn tried(world: &World, client: &str, node: &str) -> (Option<i32>, Vec<String>) {
    let ran = world.command(&["client-test", "--client", client, "--node", node, "--json"]);
    let found = ran.json();
    let rules = found["rules"].as_array().unwrap().iter();
    let words = rules.map(|rule| rule["result"].as_str().unwrap().to_owned()).collect();
    world.assert_clean();
    (ran.exit, words)
}

#[test]
fn a_client_in_python_and_a_start_command_make_a_run() {
    let Some(world) = World::new() else { return };
    let ran = world.run(&[
        "--db",
        "command",
        "--client",
        &python(),
        "--start",
        &start(),
        "--nodes",
        "3",
        "--time-limit",
        "4s",
        "--faults",
        "pause",
        "--seed",
        "1",
        "--rate",
        "60",
        "--json",
    ]);
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    let verdict = ran.json();
    assert_eq!(verdict["class"], "linearizable", "{}", ran.said);
    assert_eq!(verdict["faults"][0]["effect"], "installed", "{}", ran.said);
    world.assert_clean();
}

#[test]
fn a_table_of_requests_makes_a_run() {
    let Some(world) = World::new() else { return };
    let spec = format!("{CLIENTS}/../http/store.toml");
    let flags = ["--spec", &spec, "--start", &start(), "--time-limit", "4s", "--seed", "1"];
    let ran =
        world.run(&[&["--db", "http"], &flags[..], &["--faults", "pause", "--json"]].concat());
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    assert_eq!(ran.json()["class"], "linearizable", "{}", ran.said);
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    assert!(history.contains(r#""kind":"mismatch""#), "the table knows a comparison that failed");
    // Stale reads of the same table are found.
    let gossip = start().replace("raft", "gossip");
    let flags =
        ["--spec", &spec, "--start", &gossip, "--time-limit", "6s", "--rate", "60", "--seed", "1"];
    let ran =
        world.run(&[&["--db", "http"], &flags[..], &["--faults", "halves", "--json"]].concat());
    assert_eq!(ran.exit, Some(1), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn the_examples_keep_the_rules_and_each_liar_breaks_its_own() {
    // The node is of another world, or it would be taken for something left behind.
    let (Some(world), Some(elsewhere)) = (World::new(), World::new()) else { return };
    let node = elsewhere.node_on_loopback();
    let kept = (Some(0), vec!["pass".to_owned(); 7]);
    assert_eq!(tried(&world, &python(), &node.url), kept);
    assert_eq!(tried(&world, &format!("{CLIENTS}/register.sh {{url}}"), &node.url), kept);
    let check = |liar: &str, broken: &[usize]| {
        let (exit, words) = tried(&world, &format!("python3 {LIARS} {liar} {{url}}"), &node.url);
        let failed: Vec<usize> = (0..7).filter(|rule| words[*rule] == "fail").collect();
        assert_eq!((exit, &failed[..]), (Some(1), broken), "{liar}: {words:?}");
    };
    check("garbage", &[0, 1, 2]);
    check("always-ok", &[1, 2, 3]);
    check("unsure-is-fail", &[4]);
    check("tries-again", &[5]);
    check("stays", &[6]);
}

#[test]
fn a_client_that_dies_hangs_or_prints_garbage_makes_nothing_certain() {
    // The node is of another world, or it would be taken for something left behind.
    let (Some(world), Some(elsewhere)) = (World::new(), World::new()) else { return };
    let node = elsewhere.node_on_loopback();
    // Final reads, none of which is answered, need not be repeated for long.
    let plan = world.path("plan.toml");
    std::fs::write(&plan, "phases = { converge_within = \"500ms\" }\n").unwrap();
    let check = |client: &str, told: &str| {
        let ran = world.run(&[
            "--plan",
            plan.to_str().unwrap(),
            "--db",
            "command",
            "--client",
            client,
            "--env",
            "external",
            "--nodes",
            &node.url,
            "--time-limit",
            "1s",
            "--op-timeout",
            "600ms",
            "--deadline",
            "500ms",
            "--rate",
            "20",
            "--json",
        ]);
        assert_eq!(ran.exit, Some(2), "{client}: {}", ran.said);
        let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
        let of_clients = |line: &&str| line.contains(r#""process":"#) && !line.contains(":\"n");
        let mut completions = history.lines().filter(of_clients);
        assert!(completions.all(|line| !line.contains(r#""type":"ok""#)), "{client}");
        assert!(history.contains(told), "{client} is not told as {told}");
        assert!(ran.said.contains(told), "{client}: {}", ran.said);
        world.assert_clean();
    };
    check("sh -c 'read line; echo I give up >&2; exit 3'", "its last lines: I give up");
    check("sh -c 'sleep 100'", "no answer within the time limit");
    check("sh -c 'while read line; do echo hello; done'", "it is no JSON object");
    let missing = world.run(&["--db", "command", "--client", "./no-such-client"]);
    assert_eq!(missing.exit, Some(64), "{}", missing.said);
    assert!(missing.said.contains("there is no program"), "{}", missing.said);
}

#[test]
fn clients_end_with_a_harness_that_is_killed() {
    // The node is of another world, or it would be taken for something left behind.
    let (Some(world), Some(elsewhere)) = (World::new(), World::new()) else { return };
    let node = elsewhere.node_on_loopback();
    let start = start();
    let started = ["--start", &start, "--nodes", "1"];
    let running = ["--env", "external", "--nodes", &node.url];
    for place in [&started[..], &running] {
        let hangs = "sh -c 'sleep 100 & wait'";
        let flags = [&["run", "--db", "command", "--client", hangs], place].concat();
        let mut run = world.prepare(&flags).spawn().unwrap();
        eventually("a client that hangs", || world.has_process(&["sleep", "100"]));
        kill(Pid::from_raw(run.id() as i32), Signal::SIGKILL).unwrap();
        run.wait().unwrap();
        world.assert_clean();
    }
}
