//! Mode `quorum` as processes: enough replicas decide, and what some missed they get later.

mod cluster;

use std::time::Duration;

use cluster::{Cluster, within};
use nix::sys::signal::Signal;
use serde_json::json;

const OK: u16 = 200;

#[test]
fn any_node_takes_requests_and_each_read_sees_the_last_write() {
    let cluster = Cluster::start("quorum", 5, &["--replicas=3"]);
    for round in 0..20 {
        for node in 0..5 {
            let key = format!("k{}", node % 3);
            assert_eq!(cluster.put(node, &key, json!([round, node])).0, OK);
            let reader = (node + round + 1) % 5;
            assert_eq!(cluster.get(reader, &key), (OK, json!({"value": [round, node]})));
        }
    }
    let kept: u64 = (0..5).map(|node| cluster.status(node)["keys"].as_u64().unwrap()).sum();
    assert_eq!(kept, 9, "three keys on three nodes each");
    assert_eq!(cluster.cas(0, "k", json!(null), json!(1)).0, 501);
    assert_eq!(cluster.get(0, "never"), (OK, json!({"value": null})));
}

#[test]
fn a_minority_that_is_down_is_not_missed_and_without_a_majority_nothing_is_served() {
    let mut cluster = Cluster::start("quorum", 5, &[]);
    cluster.kill(0);
    cluster.kill(1);
    assert_eq!(cluster.put(2, "k", json!("by three")).0, OK);
    assert_eq!(cluster.get(4, "k"), (OK, json!({"value": "by three"})));
    cluster.signal(2, Signal::SIGSTOP);
    assert_eq!(cluster.put(3, "k", json!("by two")).1["outcome"], json!("refused"));
    assert_eq!(cluster.get(3, "k").0, 503);
    cluster.signal(2, Signal::SIGCONT);
    cluster.wait_value(3, "k", &json!("by three"), Duration::from_secs(3));
}

/// Nobody reads meanwhile, so it is the hint that brings it.
#[test]
fn who_was_away_is_told_by_hint_what_it_missed_and_not_what_is_older() {
    let mut cluster = Cluster::start("quorum", 3, &["--hint-interval-ms=1500"]);
    cluster.kill(2);
    for number in 0..30 {
        assert_eq!(cluster.put(0, &format!("k{number}"), json!(number)).0, OK);
    }
    // The hints outlive the node that keeps them.
    cluster.kill(0);
    cluster.launch(0);
    cluster.wait_ready(0);
    cluster.launch(2);
    cluster.wait_ready(2);
    assert_eq!(cluster.put(1, "k7", json!("newer")).0, OK);
    let all = || (cluster.status(2)["keys"] == json!(30)).then_some(());
    within(Duration::from_secs(8), all).unwrap_or_else(|| panic!("{}", cluster.status(2)));
    // It is in the majority that is left.
    cluster.kill(0);
    assert_eq!(cluster.get(2, "k7"), (OK, json!({"value": "newer"})));
    assert_eq!(cluster.get(2, "k29"), (OK, json!({"value": 29})));
}

#[test]
fn what_was_removed_stays_so_although_a_replica_missed_it() {
    let mut cluster = Cluster::start("quorum", 3, &["--hint-interval-ms=600000"]);
    assert_eq!(cluster.put(0, "k", json!(1)).0, OK);
    cluster.wait_value(2, "k", &json!(1), Duration::from_secs(3));
    cluster.kill(2);
    assert_eq!(cluster.ask(0, "DELETE", "/kv/k", ""), (OK, json!({"outcome": "ok"})));
    cluster.kill(1);
    cluster.launch(2);
    cluster.wait_ready(2);
    for node in [0, 2] {
        assert_eq!(cluster.get(node, "k"), (OK, json!({"value": null})), "node {node}");
    }
}

/// The same with the mistake: that it was removed is forgotten, and a read brings it back.
#[test]
fn what_was_removed_comes_back_if_that_is_not_remembered() {
    let mut cluster = Cluster::start("quorum", 3, &["--bug=element-resurrected"]);
    assert_eq!(cluster.put(0, "k", json!(1)).0, OK);
    cluster.wait_value(2, "k", &json!(1), Duration::from_secs(3));
    cluster.kill(2);
    assert_eq!(cluster.ask(0, "DELETE", "/kv/k", "").0, OK);
    cluster.kill(1);
    cluster.launch(2);
    cluster.wait_ready(2);
    cluster.wait_value(0, "k", &json!(1), Duration::from_secs(3));
}

/// What one read returned the next one returns too, wherever it asks.
#[test]
fn a_read_repairs_what_it_returns() {
    let mut cluster = Cluster::start("quorum", 3, &["--hint-interval-ms=600000"]);
    cluster.kill(1);
    cluster.kill(2);
    // Nobody but node 0 has it, and nobody can say how it ended.
    let answer = cluster.put(0, "k", json!("alone"));
    assert_ne!(answer.0, OK, "{answer:?}");
    (1..3).for_each(|node| cluster.launch(node));
    (1..3).for_each(|node| cluster.wait_ready(node));
    assert_eq!(cluster.put(0, "k", json!("seen")).0, OK);
    cluster.kill(0);
    cluster.wait_value(1, "k", &json!("seen"), Duration::from_secs(3));
    cluster.wait_value(2, "k", &json!("seen"), Duration::from_secs(3));
}

/// The twin of the first: with R + W not above N it is not promised, and really seen.
#[test]
fn with_small_quorums_a_read_may_miss_the_last_write_until_all_agree() {
    let mut cluster = Cluster::start("quorum", 3, &["--read-quorum=1", "--write-quorum=1"]);
    cluster.kill(2);
    assert_eq!(cluster.put(0, "k", json!("new")).0, OK);
    cluster.kill(0);
    cluster.kill(1);
    cluster.launch(2);
    cluster.wait_ready(2);
    assert_eq!(cluster.get(2, "k"), (OK, json!({"value": null})), "acknowledged, and not read");
    cluster.launch(0);
    cluster.launch(1);
    (0..3).for_each(|node| cluster.wait_value(node, "k", &json!("new"), Duration::from_secs(5)));
}

#[test]
fn quorums_that_cannot_be_are_refused() {
    for (extra, expect) in [
        ("--replicas=4", "4 replicas need more than 3 nodes"),
        ("--read-quorum=4", "of 3 replicas, 4 cannot be read"),
        ("--write-quorum=5", "5 be written"),
    ] {
        let mut cluster = Cluster::stopped("quorum", 3, &[extra]);
        cluster.launch(0);
        assert_eq!(cluster.exit_code(0), Some(70));
        assert!(cluster.logged(0).contains(expect), "{}", cluster.logged(0));
    }
}
