//! Mode `raft`: nodes that leave the cluster and join it again.

mod cluster;

use std::time::Duration;

use cluster::{Cluster, within};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(5);

fn change(cluster: &Cluster, asked: usize, what: &str, node: usize) -> (u16, Value) {
    let body = json!({ "node": format!("n{}", node + 1) }).to_string();
    let path = format!("/members/{what}");
    // A connection of the test waits 5 s, a change 3 s at most.
    within(SOON, || {
        let answer = cluster.ask(asked, "POST", &path, &body);
        (answer.0 != 503).then_some(answer)
    })
    .unwrap_or_else(|| panic!("{what} {node}: {}", cluster.logged(asked)))
}

fn members(cluster: &Cluster, asked: usize) -> Value {
    cluster.ask(asked, "GET", "/members", "").1["members"].clone()
}

fn wait_refused(cluster: &Cluster, node: usize) {
    let refused = within(SOON, || {
        let (read, write) = (cluster.get(node, "k"), cluster.put(node, "k", json!("no")));
        let is = |answer: &(u16, Value)| answer.0 == 503 && answer.1["outcome"] == "refused";
        (is(&read) && is(&write)).then_some(())
    });
    refused.unwrap_or_else(|| panic!("{node} serves: {}", cluster.logged(node)));
}

#[test]
fn who_has_left_serves_nobody_and_does_not_count_until_it_joins_again() {
    let mut cluster = Cluster::start("raft", 3, &[]);
    let leader = cluster.wait_leader(&[]);
    let (away, other) = ((leader + 1) % 3, (leader + 2) % 3);
    assert_eq!(members(&cluster, other), json!(["n1", "n2", "n3"]));
    assert_eq!(change(&cluster, other, "leave", away), (200, json!({ "outcome": "ok" })));
    let stayed = members(&cluster, leader);
    assert_eq!(stayed.as_array().map(Vec::len), Some(2));
    wait_refused(&cluster, away);
    assert_eq!(cluster.put(other, "k", json!(1)).0, 200);
    assert_eq!(change(&cluster, leader, "leave", away).0, 200, "again");

    // Of two, both are needed: the third runs, but is nobody.
    cluster.kill(other);
    assert_eq!(cluster.put(leader, "k", json!(2)).0, 503);
    cluster.launch(other);
    cluster.wait_ready(other);

    // It is still away when it comes back.
    cluster.kill(away);
    cluster.launch(away);
    std::thread::sleep(Duration::from_millis(700));
    wait_refused(&cluster, away);

    assert_eq!(change(&cluster, other, "join", away).0, 200);
    cluster.wait_ready(away);
    assert_eq!(members(&cluster, away), json!(["n1", "n2", "n3"]));
    cluster.wait_leader(&[]);
    assert_eq!(cluster.put(leader, "k", json!(3)).0, 200);
    cluster.wait_value(away, "k", &json!(3), SOON);
    // Now two of three suffice again.
    cluster.kill(other);
    let served = within(SOON, || (cluster.put(away, "k", json!(4)).0 == 200).then_some(()));
    served.expect("two of three serve");
}

#[test]
fn a_leader_that_leaves_is_succeeded() {
    let cluster = Cluster::start("raft", 3, &[]);
    let old = cluster.wait_leader(&[]);
    assert_eq!(cluster.put(old, "k", json!("old")).0, 200);
    let asked = (old + 1) % 3;
    assert_eq!(change(&cluster, asked, "leave", old).0, 200);
    let new = cluster.wait_leader(&[old]);
    assert_eq!(cluster.put(new, "k", json!("new")).0, 200);
    wait_refused(&cluster, old);
    assert_eq!(change(&cluster, new, "join", old).0, 200);
    cluster.wait_value(old, "k", &json!("new"), SOON);
}

#[test]
fn what_cannot_be_is_not_changed() {
    let cluster = Cluster::start("raft", 1, &[]);
    let answer = cluster.ask(0, "POST", "/members/leave", r#"{"node":"n1"}"#);
    assert!(answer.0 == 503 && answer.1["error"].as_str().unwrap().contains("last"), "{answer:?}");
    let answer = cluster.ask(0, "POST", "/members/join", r#"{"name":"n1"}"#);
    assert!(answer.0 == 400 && answer.1["outcome"] == "invalid", "{answer:?}");
    let answer = change(&cluster, 0, "join", 6);
    assert!(answer.0 == 400 && answer.1["outcome"] == "invalid", "{answer:?}");
    assert_eq!(cluster.put(0, "k", json!(1)).0, 200);
}
