//! Mode `multi-primary` as processes: all take writes, each speaks for itself, all agree in the end.

mod cluster;

use std::time::Duration;

use cluster::Cluster;
use nix::sys::signal::Signal;
use serde_json::json;

const CONVERGED: Duration = Duration::from_secs(3);

#[test]
fn writes_at_any_node_reach_all_and_the_later_one_wins_everywhere() {
    let cluster = Cluster::start("multi-primary", 3, &[]);
    for round in 0..20 {
        for node in 0..3 {
            assert_eq!(cluster.put(node, "k", json!([round, node])).0, 200);
        }
    }
    for node in 0..3 {
        cluster.wait_value(node, "k", &json!([19, 2]), CONVERGED);
    }
    assert_eq!(cluster.cas(0, "k", json!(1), json!(2)).0, 501);
}

/// What it does not promise is really seen: nobody else passes on what a dead node wrote.
#[test]
fn a_write_that_its_node_could_not_send_comes_when_that_node_is_back_and_not_before() {
    let mut cluster = Cluster::start("multi-primary", 3, &[]);
    cluster.kill(2);
    // Node 1 hears of it, node 2 does not.
    assert_eq!(cluster.put(0, "k", json!("half told")).0, 200);
    cluster.wait_value(1, "k", &json!("half told"), CONVERGED);
    cluster.kill(0);
    cluster.launch(2);
    cluster.wait_ready(2);
    assert_eq!(cluster.put(2, "other", json!("meanwhile")).0, 200);
    cluster.wait_value(1, "other", &json!("meanwhile"), CONVERGED);
    assert_eq!(cluster.get(2, "k"), (200, json!({"value": null})));

    cluster.launch(0);
    for node in 0..3 {
        cluster.wait_value(node, "k", &json!("half told"), CONVERGED);
        cluster.wait_value(node, "other", &json!("meanwhile"), CONVERGED);
    }
}

#[test]
fn a_node_that_was_away_for_long_catches_up_and_both_sides_keep_what_they_wrote() {
    let mut cluster = Cluster::start("multi-primary", 2, &[]);
    cluster.kill(1);
    // More than is kept for it.
    for number in 0..1500 {
        assert_eq!(cluster.put(0, &format!("k{}", number % 1200), json!(number)).0, 200);
    }
    cluster.launch(1);
    cluster.wait_ready(1);
    assert_eq!(cluster.put(1, "k7", json!("later")).0, 200);
    for node in 0..2 {
        cluster.wait_value(node, "k7", &json!("later"), CONVERGED);
        cluster.wait_value(node, "k1199", &json!(1199), CONVERGED);
        cluster.wait_value(node, "k299", &json!(1499), CONVERGED);
    }
    assert_eq!(cluster.status(1)["keys"], json!(1200));
}

#[test]
fn peers_that_hang_delay_nobody() {
    let cluster = Cluster::start("multi-primary", 3, &[]);
    (1..3).for_each(|node| cluster.signal(node, Signal::SIGSTOP));
    for number in 0..20 {
        assert_eq!(cluster.put(0, "k", json!(number)).0, 200);
    }
    (1..3).for_each(|node| cluster.signal(node, Signal::SIGCONT));
    (1..3).for_each(|node| cluster.wait_value(node, "k", &json!(19), CONVERGED));
}
