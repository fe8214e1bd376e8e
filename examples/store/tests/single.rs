//! Mode `single` as processes: one node decides, and without it nobody does.

mod cluster;

use std::time::Duration;

use cluster::Cluster;
use serde_json::json;

#[test]
fn any_node_takes_requests_and_one_orders_them() {
    let cluster = Cluster::start("single", 3, &[]);
    for node in 0..3 {
        assert_eq!(cluster.put(node, "k", json!([node])), (200, json!({"outcome": "ok"})));
        for reader in 0..3 {
            assert_eq!(cluster.get(reader, "k"), (200, json!({"value": [node]})));
        }
        let status = cluster.status(node);
        let role = if node == 0 { "leader" } else { "follower" };
        assert_eq!((&status["role"], &status["leader"]), (&json!(role), &json!("n1")));
    }
    assert_eq!(cluster.cas(2, "k", json!([2]), json!(3)), (200, json!({"outcome": "ok"})));
    assert_eq!(cluster.ask(1, "DELETE", "/kv/gone", "").0, 200);
    assert_eq!(cluster.put(1, "gone", json!(1)).0, 200);
    assert_eq!(cluster.ask(2, "DELETE", "/kv/gone", "").0, 200);
    assert_eq!(cluster.get(0, "gone"), (200, json!({"value": null})));
    let mismatch = (412, json!({"outcome": "mismatch", "value": 3}));
    assert_eq!(cluster.cas(1, "k", json!([2]), json!(4)), mismatch);
}

#[test]
fn without_that_node_nothing_is_served_and_when_it_is_back_nothing_is_lost() {
    let mut cluster = Cluster::start("single", 3, &["--snapshot-entries=20"]);
    for number in 0..100 {
        assert_eq!(cluster.put(number % 3, &format!("k{}", number % 7), json!(number)).0, 200);
    }
    cluster.kill(0);
    assert_eq!(cluster.put(1, "k0", json!("nobody")).1["outcome"], json!("refused"));
    assert_eq!(cluster.get(2, "k0").0, 503);
    cluster.launch(0);
    cluster.wait_ready(0);
    for number in 93..100 {
        let key = format!("k{}", number % 7);
        cluster.wait_value(1, &key, &json!(number), Duration::from_secs(3));
    }
}
