//! Mode `gossip` as processes: always available, in agreement in the end.

mod cluster;

use std::time::Duration;

use cluster::Cluster;
use nix::sys::signal::Signal;
use serde_json::json;

const CONVERGED: Duration = Duration::from_secs(3);

#[test]
fn writes_at_any_node_reach_all_and_the_later_one_wins_everywhere() {
    let cluster = Cluster::start("gossip", 5, &[]);
    for round in 0..20 {
        // They do not overlap, but each comes from another node: the order is by clock alone.
        for node in 0..5 {
            assert_eq!(cluster.put(node, "k", json!([round, node])).0, 200);
        }
    }
    for node in 0..5 {
        cluster.wait_value(node, "k", &json!([19, 4]), CONVERGED);
    }
}

#[test]
fn an_acknowledged_write_survives_kill_and_every_node_dying() {
    let mut cluster = Cluster::start("gossip", 3, &[]);
    (1..3).for_each(|node| cluster.kill(node));
    // Nobody but node 0 hears of it.
    assert_eq!(cluster.put(0, "k", json!("alone")).0, 200);
    cluster.kill(0);
    (1..3).for_each(|node| cluster.launch(node));
    (1..3).for_each(|node| cluster.wait_ready(node));
    assert_eq!(cluster.put(1, "other", json!("meanwhile")).0, 200);

    cluster.launch(0);
    for node in 0..3 {
        cluster.wait_value(node, "k", &json!("alone"), CONVERGED);
        cluster.wait_value(node, "other", &json!("meanwhile"), CONVERGED);
    }
}

#[test]
fn a_node_that_was_away_catches_up_and_what_it_wrote_later_wins() {
    let mut cluster = Cluster::start("gossip", 3, &[]);
    cluster.kill(2);
    for number in 0..300 {
        assert_eq!(cluster.put(number % 2, &format!("k{number}"), json!(number)).0, 200);
    }
    cluster.launch(2);
    cluster.wait_ready(2);
    assert_eq!(cluster.put(2, "k7", json!("later")).0, 200);
    for node in 0..3 {
        cluster.wait_value(node, "k7", &json!("later"), CONVERGED);
        cluster.wait_value(node, "k299", &json!(299), CONVERGED);
    }
    assert_eq!(cluster.status(2)["keys"], json!(300));
}

#[test]
fn peers_that_hang_delay_nobody() {
    let cluster = Cluster::start("gossip", 3, &[]);
    (1..3).for_each(|node| cluster.signal(node, Signal::SIGSTOP));
    let (_, took) = cluster::timed(|| {
        for number in 0..20 {
            assert_eq!(cluster.put(0, "k", json!(number)).0, 200);
        }
    });
    assert!(took < Duration::from_secs(2), "{took:?}");
    (1..3).for_each(|node| cluster.signal(node, Signal::SIGCONT));
    (1..3).for_each(|node| cluster.wait_value(node, "k", &json!(19), CONVERGED));
}

#[test]
fn compare_and_set_is_not_supported_and_changes_nothing() {
    let cluster = Cluster::start("gossip", 1, &[]);
    let answer = cluster.cas(0, "k", json!(null), json!(1));
    assert_eq!((answer.0, &answer.1["outcome"]), (501, &json!("unsupported")));
    assert_eq!(cluster.get(0, "k"), (200, json!({"value": null})));
}
