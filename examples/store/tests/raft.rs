//! Mode `raft` as processes: what was acknowledged survives, and what cannot be known is not claimed.

mod cluster;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::Duration;

use cluster::{Cluster, PROGRAM, timed, within};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// The limit is 800 ms; the rest is for a busy machine.
const ANSWERED: Duration = Duration::from_millis(1500);

fn assert_503(answer: &(u16, Value), outcomes: &[&str]) {
    let outcome = answer.1["outcome"].as_str().unwrap_or_default();
    assert!(answer.0 == 503 && outcomes.contains(&outcome), "{answer:?}, not {outcomes:?}");
}

#[test]
fn any_node_takes_requests_and_all_agree() {
    let cluster = Cluster::start("raft", 3, &[]);
    let leader = cluster.wait_leader(&[]);
    for node in 0..3 {
        assert_eq!(cluster.put(node, "k", json!([node])), (200, json!({"outcome": "ok"})));
        for reader in 0..3 {
            assert_eq!(cluster.get(reader, "k"), (200, json!({"value": [node]})));
        }
        let status = cluster.status(node);
        let role = if node == leader { "leader" } else { "follower" };
        assert_eq!((&status["role"], &status["mode"]), (&json!(role), &json!("raft")));
        assert!(status["term"].as_u64() >= Some(1), "{status}");
    }
    assert_eq!(cluster.get(1, "never"), (200, json!({"value": null})));
}

#[test]
fn compare_and_set_is_atomic_and_shows_the_current_value_on_mismatch() {
    let cluster = Cluster::start("raft", 3, &[]);
    assert_eq!(cluster.cas(0, "k", json!(null), json!(0)), (200, json!({"outcome": "ok"})));
    assert_eq!(
        cluster.cas(1, "k", json!(null), json!(7)),
        (412, json!({"outcome": "mismatch", "value": 0}))
    );
    // Eight clients count together through all nodes; each success must be a step of its own.
    let steps: u64 = std::thread::scope(|scope| {
        let count = |node: usize| {
            let cluster = &cluster;
            move || {
                let mut value = json!(0);
                let mut steps = 0;
                for _ in 0..40 {
                    let next = json!(value.as_u64().unwrap() + 1);
                    match cluster.cas(node, "k", value.clone(), next.clone()) {
                        (200, _) => {
                            steps += 1;
                            value = next;
                        }
                        (412, answer) => value = answer["value"].clone(),
                        answer => panic!("{answer:?}"),
                    }
                }
                steps
            }
        };
        let threads: Vec<_> = (0..8).map(|client| scope.spawn(count(client % 3))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(cluster.get(2, "k"), (200, json!({"value": steps})));
}

/// Writes through all nodes while they are killed one by one, until none is left; then reads back.
#[test]
fn acknowledged_writes_survive_the_kill_of_all_nodes() {
    let mut cluster = Cluster::start("raft", 3, &["--snapshot-entries=40"]);
    let mut acknowledged = HashMap::new();
    for number in 0..150 {
        let key = format!("k{}", number % 30);
        assert_eq!(cluster.put(number % 3, &key, json!(number)).0, 200);
        acknowledged.insert(key, number);
    }
    (0..3).for_each(|node| cluster.kill(node));
    (0..3).for_each(|node| cluster.launch(node));
    (0..3).for_each(|node| cluster.wait_ready(node));
    for (key, number) in &acknowledged {
        for node in 0..3 {
            assert_eq!(cluster.get(node, key), (200, json!({"value": number})), "{key} at {node}");
        }
    }
    for node in 0..3 {
        let log = fs::metadata(cluster.data(node).join("raft.log")).unwrap().len();
        assert!(cluster.logged(node).contains("snapshot written") && log > 0);
    }
}

#[test]
fn without_a_majority_requests_are_answered_in_time_and_never_with_ok() {
    let cluster = Cluster::start("raft", 3, &[]);
    assert_eq!(cluster.put(0, "k", json!("before")).0, 200);
    let leader = cluster.wait_leader(&[]);
    let followers: Vec<_> = (0..3).filter(|node| *node != leader).collect();
    followers.iter().for_each(|node| cluster.signal(*node, Signal::SIGSTOP));

    // At once the leader still believes in itself, but it cannot know how the write will end.
    let (answer, took) = timed(|| cluster.put(leader, "k", json!("stopped")));
    assert_503(&answer, &["unknown"]);
    assert!(took < ANSWERED, "{took:?}");
    // Later it knows that nobody follows, and says so without trying.
    within(Duration::from_secs(5), || {
        (cluster.ask(leader, "GET", "/health", "").0 == 503).then_some(())
    })
    .expect("a leader without followers is not ready");
    for answer in [cluster.put(leader, "k", json!("late")), cluster.get(leader, "k")] {
        assert_503(&answer, &["refused"]);
    }
    assert_eq!(cluster.status(leader)["leader"], json!(null));

    followers.iter().for_each(|node| cluster.signal(*node, Signal::SIGCONT));
    (0..3).for_each(|node| cluster.wait_ready(node));
    let value = cluster.get(followers[0], "k").1["value"].clone();
    assert!([json!("before"), json!("stopped")].contains(&value), "refused, yet it reads {value}");
}

/// The leader has a long lease, so that it still believes in itself when it wakes up; the others a
/// short one. Then nothing but the read index stands between it and a stale answer.
#[test]
fn a_leader_that_slept_through_an_election_serves_no_stale_read() {
    let mut cluster = Cluster::start("raft", 3, &["--election-ms=2000"]);
    let old = cluster.wait_leader(&[]);
    for node in (0..3).filter(|node| *node != old) {
        cluster.kill(node);
        cluster.set_extra(&["--election-ms=150"]);
        cluster.launch(node);
        cluster.wait_ready(node);
    }
    assert_eq!(cluster.put(old, "k", json!("old")).0, 200);
    cluster.signal(old, Signal::SIGSTOP);
    let new = cluster.wait_leader(&[old]);
    assert_eq!(cluster.put(new, "k", json!("new")).0, 200);

    // These reads wait in its sockets, so that it finds them together with the news that it leads no
    // more. They began after the new value was acknowledged.
    std::thread::scope(|scope| {
        let early: Vec<_> = (0..32).map(|_| scope.spawn(|| cluster.get(old, "k"))).collect();
        std::thread::sleep(Duration::from_millis(100));
        cluster.signal(old, Signal::SIGCONT);
        for answer in early.into_iter().map(|read| read.join().unwrap()) {
            match answer.0 {
                200 => assert_eq!(answer.1, json!({"value": "new"})),
                _ => assert_503(&answer, &["refused"]),
            }
        }
    });
    cluster.wait_value(old, "k", &json!("new"), Duration::from_secs(5));
}

#[test]
fn a_dead_leader_is_replaced_and_a_write_to_it_is_not_called_refused_once_sent() {
    let mut cluster = Cluster::start("raft", 3, &[]);
    let old = cluster.wait_leader(&[]);
    let follower = (old + 1) % 3;
    cluster.signal(old, Signal::SIGSTOP);
    let (answer, took) = timed(|| cluster.put(follower, "k", json!("sent")));
    assert_503(&answer, &["unknown"]);
    assert!(took < ANSWERED, "{took:?}");

    cluster.kill(old);
    let recovered = within(Duration::from_secs(5), || {
        let answer = cluster.put(follower, "k", json!("again"));
        (answer.0 == 200).then_some(())
    });
    recovered.expect("two of three elect a leader");
    cluster.launch(old);
    cluster.wait_ready(old);
    assert_eq!(cluster.get(old, "k"), (200, json!({"value": "again"})));
}

#[test]
fn a_node_that_missed_more_than_the_log_keeps_catches_up_by_snapshot() {
    let mut cluster = Cluster::start("raft", 3, &["--snapshot-entries=100"]);
    let leader = cluster.wait_leader(&[]);
    let away = (leader + 1) % 3;
    cluster.kill(away);
    // The log keeps 500 entries behind a snapshot.
    for number in 0..750 {
        assert_eq!(cluster.put(leader, &format!("k{}", number % 10), json!(number)).0, 200);
    }
    cluster.launch(away);
    cluster.wait_ready(away);
    within(Duration::from_secs(10), || (cluster.status(away)["keys"] == json!(10)).then_some(()))
        .unwrap_or_else(|| panic!("{} {}", cluster.status(away), cluster.logged(away)));

    // It can vouch for what it has: the other follower dies, and those two are a majority.
    let other = (leader + 2) % 3;
    cluster.kill(other);
    assert_eq!(cluster.put(away, "k0", json!("last")).0, 200);
    cluster.kill(away);
    cluster.launch(away);
    cluster.wait_ready(away);
    assert_eq!(cluster.get(away, "k0"), (200, json!({"value": "last"})));
    assert_eq!(cluster.get(away, "k9"), (200, json!({"value": 749})));
}

#[test]
fn a_torn_tail_is_forgiven_and_damage_in_the_middle_is_not() {
    let mut cluster = Cluster::start("raft", 3, &[]);
    for number in 0..20 {
        assert_eq!(cluster.put(0, "k", json!(number)).0, 200);
    }
    cluster.kill(0);
    let log = cluster.data(0).join("raft.log");
    let size = fs::metadata(&log).unwrap().len();
    let file = fs::OpenOptions::new().read(true).write(true).open(&log).unwrap();
    file.set_len(size - 3).unwrap();
    cluster.launch(0);
    cluster.wait_ready(0);
    assert!(cluster.logged(0).contains("dropped the torn end"), "{}", cluster.logged(0));
    cluster.wait_value(0, "k", &json!(19), Duration::from_secs(5));

    cluster.kill(0);
    let mut byte = [0];
    file.read_exact_at(&mut byte, size / 2).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], size / 2).unwrap();
    cluster.launch(0);
    assert_eq!(cluster.exit_code(0), Some(70));
    assert!(
        cluster.logged(0).contains("is damaged, yet whole records follow"),
        "{}",
        cluster.logged(0)
    );
}

/// The limit on file size makes real writes of a real file fail, as a full disk would.
#[test]
fn a_node_whose_log_cannot_be_written_acknowledges_nothing_and_ends() {
    let mut cluster = Cluster::stopped("raft", 1, &[]);
    let plain = cluster.command(0);
    let mut command = Command::new("sh");
    // Blocks of 512 bytes, or of 1024 in bash: 8 or 16 KiB.
    command.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh", PROGRAM]);
    command
        .args(plain.get_args())
        .stderr(fs::File::create(cluster.data(0).with_extension("log")).unwrap());
    cluster.launch_as(0, command);
    cluster.wait_ready(0);

    let filler = "x".repeat(1000);
    let mut acknowledged = 0;
    let refused =
        (0..100).map(|number| cluster.put(0, "k", json!([number, filler]))).find(|answer| {
            acknowledged += u32::from(answer.0 == 200);
            answer.0 != 200
        });
    let refused = refused.expect("100 writes of 1 kB do not fit");
    assert!(refused.0 == 0 || refused.1["outcome"] == json!("unknown"), "{refused:?}");
    assert!(acknowledged > 3, "{acknowledged}");
    assert_eq!(cluster.exit_code(0), Some(70));
    assert!(cluster.logged(0).contains("File too large"), "{}", cluster.logged(0));

    cluster.launch(0);
    cluster.wait_ready(0);
    let value = cluster.get(0, "k").1["value"][0].as_u64();
    assert_eq!(value, Some(u64::from(acknowledged) - 1), "the last that was acknowledged");
}
