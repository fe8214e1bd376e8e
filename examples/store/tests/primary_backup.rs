//! Mode `primary-backup` as processes: what a fail-over costs, and what it does not.

mod cluster;

use std::time::Duration;

use cluster::{Cluster, within};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const OK: u16 = 200;
const SYNC: &[&str] = &["--replication=sync"];

/// Kills every node but the primary, writes to that, and lets another take its place.
/// Returns what the primary answered, and what the cluster has in the end.
fn write_to_a_primary_that_nobody_hears(extra: &[&str]) -> (Value, Value) {
    // A long lease, so that the primary still serves.
    let extra = [extra, &["--election-ms=1000"]].concat();
    let mut cluster = Cluster::start("primary-backup", 3, &extra);
    let old = cluster.wait_leader(&[]);
    let others: Vec<_> = (0..3).filter(|node| *node != old).collect();
    assert_eq!(cluster.put(old, "k", json!("early")).0, OK);
    // Asynchronous, what was just acknowledged may still be on its way.
    std::thread::sleep(Duration::from_millis(500));
    others.iter().for_each(|node| cluster.kill(*node));
    let answer = cluster.put(old, "k", json!("unheard"));
    cluster.kill(old);
    others.iter().for_each(|node| cluster.launch(*node));
    let new = cluster.wait_leader(&[old]);
    assert_ne!(new, old);
    cluster.launch(old);
    cluster.wait_ready(old);
    let value = cluster.get(new, "k");
    // The old primary has dropped what the new one has not.
    for node in 0..3 {
        assert_eq!(cluster.get(node, "k"), value, "node {node}");
    }
    (answer.1["outcome"].clone(), value.1["value"].clone())
}

#[test]
fn asynchronous_an_acknowledged_write_is_lost_with_its_primary() {
    let (outcome, value) = write_to_a_primary_that_nobody_hears(&[]);
    assert_eq!((outcome, value), (json!("ok"), json!("early")));
}

#[test]
fn synchronous_a_write_that_nobody_heard_is_not_acknowledged() {
    let (outcome, value) = write_to_a_primary_that_nobody_hears(SYNC);
    assert_eq!((outcome, value), (json!("unknown"), json!("early")));
}

/// Kills the primary again and again while all that was acknowledged is kept account of.
fn synchronous_writes_survive_fail_overs(extra: &[&str]) {
    let mut cluster = Cluster::start("primary-backup", 3, extra);
    let mut last = json!(null);
    for round in 0..4 {
        let primary = cluster.wait_leader(&[]);
        for number in 0..25 {
            let next = json!([round, number]);
            let key = format!("k{}", number % 5);
            assert_eq!(cluster.put(number % 3, &key, next.clone()).0, OK);
            assert_eq!(cluster.cas(primary, "last", last.clone(), next.clone()).0, OK);
            last = next;
        }
        cluster.kill(primary);
        let new = cluster.wait_leader(&[primary]);
        cluster.wait_value(new, "last", &last, Duration::from_secs(5));
        cluster.launch(primary);
        cluster.wait_ready(primary);
        assert_eq!(cluster.get(primary, "last").1, json!({ "value": last }), "round {round}");
    }
    for number in 20..25 {
        let key = format!("k{}", number % 5);
        assert_eq!(cluster.get(1, &key).1, json!({ "value": [3, number] }));
    }
}

#[test]
fn synchronous_with_hot_standbys_no_write_is_lost() {
    synchronous_writes_survive_fail_overs(&["--replication=sync", "--snapshot-entries=20"]);
}

#[test]
fn synchronous_with_cold_standbys_no_write_is_lost() {
    synchronous_writes_survive_fail_overs(&["--replication=sync", "--standby=cold"]);
}

#[test]
fn a_primary_without_a_majority_stops_serving_and_what_it_refuses_never_happens() {
    let cluster = Cluster::start("primary-backup", 3, &[]);
    let primary = cluster.wait_leader(&[]);
    let others: Vec<_> = (0..3).filter(|node| *node != primary).collect();
    others.iter().for_each(|node| cluster.signal(*node, Signal::SIGSTOP));
    within(Duration::from_secs(5), || {
        (cluster.ask(primary, "GET", "/health", "").0 == 503).then_some(())
    })
    .expect("its lease ends");
    assert_eq!(cluster.put(primary, "k", json!(1)).1["outcome"], json!("refused"));
    assert_eq!(cluster.get(primary, "k").0, 503);
    others.iter().for_each(|node| cluster.signal(*node, Signal::SIGCONT));
    (0..3).for_each(|node| cluster.wait_ready(node));
    assert_eq!(cluster.get(others[0], "k"), (OK, json!({"value": null})));
}

/// It wakes up in the belief that it leads; its lease tells it that it may not.
#[test]
fn a_primary_that_slept_through_a_fail_over_answers_nothing_old() {
    let cluster = Cluster::start("primary-backup", 3, SYNC);
    let old = cluster.wait_leader(&[]);
    assert_eq!(cluster.put(old, "k", json!("old")).0, OK);
    cluster.signal(old, Signal::SIGSTOP);
    let new = cluster.wait_leader(&[old]);
    assert_eq!(cluster.put(new, "k", json!("new")).0, OK);
    std::thread::scope(|scope| {
        let early: Vec<_> = (0..16).map(|_| scope.spawn(|| cluster.get(old, "k"))).collect();
        std::thread::sleep(Duration::from_millis(100));
        cluster.signal(old, Signal::SIGCONT);
        for answer in early.into_iter().map(|read| read.join().unwrap()) {
            let new = answer == (OK, json!({"value": "new"}));
            assert!(new || answer.0 == 503, "{answer:?}");
        }
    });
}
