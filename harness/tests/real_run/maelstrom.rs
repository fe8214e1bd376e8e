//! Programs of the Maelstrom protocol: the examples, and twins of them that break what they promise.

use crate::world::{Ran, World, write_script};

const NODES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/maelstrom");

fn run(world: &World, bin: &str, flags: &str) -> Ran {
    let bin = format!("python3 {NODES}/{bin}");
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let ran = world.run(&[&["--db", "maelstrom", "--bin", &bin, "--json"], &flags[..]].concat());
    world.assert_clean();
    ran
}

#[test]
fn a_node_that_asks_lin_kv_is_linearizable_and_one_with_a_cache_is_not() {
    let Some(world) = World::new() else { return };
    let flags = "--workload register --nodes 3 --time-limit 4s --seed 1 --faults kill";
    let ran = run(&world, "lin_kv.py", flags);
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    let verdict = ran.json();
    assert_eq!(verdict["class"], "linearizable", "{}", ran.said);
    assert_eq!(verdict["faults"][0]["effect"], "installed", "{}", ran.said);
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    assert!(history.contains("error 22"), "a comparison fails by the protocol's code");
    let flags = "--workload register --nodes 3 --time-limit 3s --seed 1 --faults none";
    let ran = run(&world, "lin_kv.py --cached", flags);
    assert_eq!(ran.exit, Some(1), "{}", ran.said);
}

#[test]
fn a_broadcast_that_is_repeated_arrives_and_one_that_is_not_is_lost_in_a_partition() {
    let Some(world) = World::new() else { return };
    let flags = "--workload set-full --nodes 5 --time-limit 8s --seed 1 --faults halves,loss@loss=30% \
        --rate 60 --expect eventual";
    let ran = run(&world, "broadcast.py", flags);
    let verdict = ran.json();
    assert_eq!(verdict["checks"]["set-full"]["verdict"], "valid", "{}", ran.said);
    assert_ne!(ran.exit, Some(1), "{}", ran.said);
    for fault in verdict["faults"].as_array().unwrap() {
        assert_eq!(fault["effect"], "installed", "{fault}");
    }
    let ran = run(&world, "broadcast.py --forgetful", flags);
    assert_eq!(ran.exit, Some(1), "{}", ran.said);
    let lost = &ran.json()["checks"]["set-full"]["lost-count"];
    assert!(lost.as_u64().is_some_and(|lost| lost > 0), "{}", ran.said);
}

#[test]
fn transactions_logs_and_sets_are_asked_in_the_protocols_words() {
    let Some(world) = World::new() else { return };
    let check = |bin: &str, workload: &str, exit: i32| {
        let flags = format!(
            "--workload {workload} --nodes 2 --time-limit 2s --seed 1 --faults none --rate 80 \
            --db-option set=g-set"
        );
        let ran = run(&world, bin, &flags);
        assert_eq!(ran.exit, Some(exit), "{bin} {workload}: {}", ran.said);
    };
    for workload in ["append", "echo", "log", "set"] {
        check("one_store.py", workload, 0);
    }
    check("one_store.py --blind", "append", 1);
    check("one_store.py --blind", "echo", 1);
}

#[test]
fn without_rights_messages_are_carried_by_streams_and_delayed_as_the_seed_says() {
    let Some(world) = World::new() else { return };
    let flags = "--env proxy --db-option latency=20 --db-option distribution=uniform \
        --workload set-full --nodes 3 --time-limit 3s --seed 1 --faults pause --rate 40 \
        --expect eventual";
    let ran = run(&world, "broadcast.py", flags);
    assert_eq!(ran.json()["checks"]["set-full"]["verdict"], "valid", "{}", ran.said);
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    assert!(history.contains("distribution=uniform"), "what it was told is kept");
}

#[test]
fn a_program_that_does_not_speak_the_protocol_fails_the_harness_with_its_last_words() {
    let Some(world) = World::new() else { return };
    let check = |bin: &str, flags: &[&str], told: &str| {
        let all = [&["--db", "maelstrom", "--bin", bin, "--nodes", "1"], flags].concat();
        let ran = world.run(&all);
        assert_eq!(ran.exit, Some(70), "{}", ran.said);
        assert!(ran.said.contains(told), "{}", ran.said);
        world.assert_clean();
    };
    check("sh -c 'echo I speak no JSON; sleep 9'", &[], "what is no message: I speak no JSON");
    check("sh -c 'echo on fire >&2; exit 3'", &[], "ended by itself: exit status: 3");
    let late = |end: &str| {
        let says = r#"{\"src\":\"n1\",\"dest\":\"c0\",\"body\":{\"type\":\"init_ok\",\"in_reply_to\":$i}}"#;
        let first = format!("for i in 1 2; do read m; echo \"{says}\"; done; read operation");
        let path = world.path("late.sh");
        write_script(&path, &format!("#!/bin/sh\n{first}\n{end}\n"));
        path.display().to_string()
    };
    // Those that begin well too, and then they end the run at once.
    let flags = ["--workload", "register", "--faults", "none", "--time-limit", "60s"];
    let boom = late("echo boom >&2; exit 4");
    check(
        &boom,
        &flags,
        "the harness failed: n1 ended by itself: exited with code 1: its program ended by itself: exit status: 4, and said last: boom",
    );
    check(&late("echo hello; sleep 9"), &flags, "what is no message: hello");
    let flags = ["--db-option", "init=1"];
    check("sh -c 'sleep 9'", &flags, "has not answered its first messages within 1 s");
    let body = r#"{\"type\":\"error\",\"code\":13,\"text\":\"no disk\",\"in_reply_to\":1}"#;
    let refusal = format!(r#"{{\"src\":\"n1\",\"dest\":\"c0\",\"body\":{body}}}"#);
    check(&format!("sh -c 'read m; echo \"{refusal}\"; sleep 9'"), &[], "no disk");
}
