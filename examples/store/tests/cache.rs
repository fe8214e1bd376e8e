//! Mode `cache` as processes: fast, always available, and it repairs nothing.

mod cluster;

use std::time::Duration;

use cluster::Cluster;
use serde_json::json;

#[test]
fn a_write_reaches_the_nodes_that_are_there() {
    let cluster = Cluster::start("cache", 3, &[]);
    assert_eq!(cluster.put(1, "k", json!("v")), (200, json!({"outcome": "ok"})));
    for node in 0..3 {
        cluster.wait_value(node, "k", &json!("v"), Duration::from_secs(3));
    }
    assert_eq!(cluster.status(0)["role"], json!("peer"));
    assert_eq!(cluster.status(0)["term"], json!(null));
}

/// The twin is in the tests of gossip, where the node catches up.
#[test]
fn a_node_that_was_away_never_hears_of_what_it_missed() {
    let mut cluster = Cluster::start("cache", 3, &[]);
    assert_eq!(cluster.put(0, "k", json!("early")).0, 200);
    cluster.wait_value(2, "k", &json!("early"), Duration::from_secs(3));
    cluster.kill(2);
    assert_eq!(cluster.put(0, "k", json!("missed")).0, 200);
    cluster.wait_value(1, "k", &json!("missed"), Duration::from_secs(3));
    cluster.launch(2);
    cluster.wait_ready(2);
    // Longer than gossip needs many times over. It does hear of what comes now.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(cluster.put(0, "new", json!("heard")).0, 200);
    cluster.wait_value(2, "new", &json!("heard"), Duration::from_secs(3));
    assert_eq!(cluster.get(2, "k"), (200, json!({"value": null})), "forgotten and not repaired");
    assert_eq!(cluster.get(1, "k"), (200, json!({"value": "missed"})));
}

#[test]
fn compare_and_set_is_not_supported() {
    let cluster = Cluster::start("cache", 1, &[]);
    let answer = cluster.cas(0, "k", json!(null), json!(1));
    assert_eq!((answer.0, &answer.1["outcome"]), (501, &json!("unsupported")));
}
