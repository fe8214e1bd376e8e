//! The program at its edges: requests that make no sense, and starts that cannot work.

mod cluster;

use std::process::{Command, Stdio};

use cluster::{Cluster, PROGRAM};
use nix::sys::signal::Signal;
use serde_json::json;

#[test]
fn what_is_not_understood_gets_a_json_error() {
    let cluster = Cluster::start("cache", 1, &[]);
    let long_key = "k".repeat(513);
    let deep = format!("{{\"value\": {}{}}}", "[".repeat(65), "]".repeat(65));
    let large = format!("{{\"value\": \"{}\"}}", "x".repeat(1 << 20));
    for (method, path, body, code) in [
        ("PUT", "/kv/k", "", 400),
        ("PUT", "/kv/k", "{", 400),
        ("PUT", "/kv/k", "7", 400),
        ("PUT", "/kv/k", "{}", 400),
        ("PUT", "/kv/k", r#"{"value": 1, "extra": 2}"#, 400),
        ("PUT", "/kv/k", r#"{"value": 1} trailing"#, 400),
        ("PUT", "/kv/k", r#"{"value": 1, "value": 2}"#, 400),
        ("PUT", "/kv/k", deep.as_str(), 400),
        ("PUT", "/kv/k", large.as_str(), 400),
        ("POST", "/kv/k/cas", r#"{"old": 1}"#, 400),
        ("POST", "/kv/k/cas", r#"{"old": 1, "new": 2, "if": 3}"#, 400),
        ("PUT", "/kv/", r#"{"value": 1}"#, 400),
        ("GET", "/kv/", "", 400),
        ("POST", "/kv//cas", r#"{"old": 1, "new": 2}"#, 400),
        ("PUT", &format!("/kv/{long_key}"), r#"{"value": 1}"#, 400),
        ("GET", "/kv/%ff", "", 400),
        ("GET", "/", "", 404),
        ("GET", "/kv", "", 404),
        ("GET", "/kv/a/b/c", "", 404),
        ("PATCH", "/kv/k", "", 405),
        ("GET", "/kv/k/cas", "", 405),
        ("POST", "/health", "", 405),
    ] {
        let (got, answer) = cluster.ask(0, method, path, body);
        let said = answer["error"].as_str().unwrap_or_default();
        let what = format!("{method} {:.40} {body:.40}: {got} {answer}", path);
        assert_eq!(got, code, "{what}");
        assert!(answer["outcome"] == json!("invalid") && !said.is_empty(), "{what}");
    }
    assert_eq!(cluster.get(0, "k"), (200, json!({"value": null})), "and none of it did anything");
}

#[test]
fn every_json_value_and_every_key_is_kept_as_it_is() {
    // A leader that a busy machine keeps waiting is not deposed meanwhile, which would be a 503.
    let patient = ["--request-timeout-ms=10000", "--election-ms=3000"];
    let cluster = Cluster::start("raft", 3, &patient);
    for value in [
        json!(null),
        json!(false),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1 + 0.2),
        json!(5e-324),
        json!("\u{0}\"é\u{1f980}"),
        json!([[], {}, {"b": 1, "a": [null]}]),
    ] {
        for key in ["k", "a%2Fb", "%C3%A9", "%20", "cas"] {
            assert_eq!(cluster.put(0, key, value.clone()).0, 200);
            assert_eq!(cluster.get(1, key), (200, json!({"value": value})), "{key}");
        }
    }
    let large = json!("x".repeat(1_000_000));
    assert_eq!(cluster.put(2, "large", large.clone()).0, 200);
    assert_eq!(cluster.get(0, "large").1["value"], large);
}

/// Runs the program to its end, and returns its exit code and what it said.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_start_that_cannot_work_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below_file = file.join("data");
    let peers = "n1=127.0.0.1:1";
    let check = |id, mode, listen: &str, peers, data, code, expect: &str| {
        let arguments =
            ["--id", id, "--mode", mode, "--listen", listen, "--peers", peers, "--data", data];
        let (exit, said) = run(&arguments);
        assert!(exit == Some(code) && said.contains(expect), "{arguments:?}: {exit:?} {said}");
    };
    check("n1", "paxos", "127.0.0.1:0", peers, data, 64, "[possible values: cache, gossip, ");
    check("n1", "raft", "nowhere", peers, data, 64, "invalid socket address");
    check("n2", "raft", "127.0.0.1:0", peers, data, 64, "must include this node, n2");
    check("n1", "raft", "127.0.0.1:0", "n1", data, 64, "is not ID=IP:PORT");
    check("n1", "raft", &taken, peers, data, 70, "cannot listen on");
    check("n1", "raft", "127.0.0.1:0", peers, below_file.to_str().unwrap(), 70, "cannot make data");
    assert_eq!(run(&["--unknown"]).0, Some(64));
    let (code, help) = run(&["--help"]);
    assert!(
        code == Some(0) && help.contains("Exit codes") && help.contains("linearizable"),
        "{help}"
    );
}

#[test]
fn a_data_directory_serves_its_own_node_and_cluster_only() {
    let mut cluster = Cluster::start("raft", 1, &[]);
    let second = cluster.command(0).output().unwrap();
    assert_eq!(second.status.code(), Some(70));
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another process uses data directory")
    );

    cluster.signal(0, Signal::SIGTERM);
    assert_eq!(cluster.exit_code(0), Some(0), "SIGTERM is an orderly end");
    let data = cluster.data(0);
    let data = data.to_str().unwrap();
    for (mode, peers, expect) in [
        ("gossip", "n1=127.0.0.1:1", "belongs to node n1 in mode raft"),
        ("raft", "n1=127.0.0.1:1,n2=127.0.0.1:2", "belongs to a cluster of [n1], not [n1, n2]"),
    ] {
        let arguments =
            ["--id=n1", "--mode", mode, "--listen=127.0.0.1:0", "--peers", peers, "--data", data];
        let (exit, said) = run(&arguments);
        assert!(exit == Some(70) && said.contains(expect), "{exit:?} {said}");
    }
}

#[test]
fn all_modes_end_in_order_on_sigterm_with_peers_connected() {
    for mode in ["raft", "gossip", "cache"] {
        let mut cluster = Cluster::start(mode, 3, &[]);
        assert_eq!(cluster.put(0, "k", json!(1)).0, 200);
        (0..3).for_each(|node| cluster.signal(node, Signal::SIGTERM));
        for node in 0..3 {
            let (code, took) = cluster::timed(|| cluster.exit_code(node));
            assert_eq!(code, Some(0), "{mode}");
            assert!(took < std::time::Duration::from_secs(3), "{mode} took {took:?}");
        }
    }
}
