//! What a run's clients saw, each figure beside one that must be otherwise.

mod failover;
mod gaps;
mod script;
mod truth;

use serde_json::{Value, json};
use splitbrain_checker::{Cell, Nature, Profile};

use script::{Script, cut_between};

/// Both sides of a cut from 5 s to 11 s take writes of their own; probes each half second.
fn both_sides_write() -> Script {
    let mut script = Script::new(3);
    script.phase(0, "main").cut(5_000, 11_000, &[1], &[2, 3]);
    let mut held = [0, 0, 0];
    for at_ms in (100..14_000).step_by(100) {
        let node = (at_ms / 100 % 3) as usize;
        let is_cut = (5_000..11_000).contains(&at_ms);
        script.op(at_ms, at_ms + 2, node + 1, "write p", json!(at_ms));
        for (other, held) in held.iter_mut().enumerate() {
            if !is_cut || (other == 0) == (node == 0) {
                *held = at_ms;
            }
        }
        script.op(at_ms + 10, at_ms + 12, 1, "read p", json!(held[0]));
        if at_ms % 500 == 0 {
            script.probe(at_ms + 50, "p", &held.map(Value::from));
        }
    }
    script
}

#[test]
fn the_age_and_the_versions_of_a_stale_read_are_those_of_what_it_lacks() {
    let mut script = Script::new(2);
    script.op(10, 12, 1, "write x", json!(1));
    // A chain of three, one beside it, and one that is not yet acknowledged.
    script.op(20, 30, 1, "write x", json!(2)).op(25, 45, 1, "write x", json!(20));
    script.op(40, 50, 1, "write x", json!(3)).op(60, 70, 1, "write x", json!(4));
    script.op(75, 200, 1, "write x", json!(5));
    script.op(100, 101, 2, "read x", json!(1));
    let staleness = script.judgement().profile.staleness.expect("registers");
    assert_eq!((staleness.reads, staleness.stale), (1, 1));
    assert_eq!((staleness.oldest_ms, staleness.versions), (Some(70.0), Some(3)));
    // The twin: what it lacks was not acknowledged before it began.
    let mut script = Script::new(2);
    script.op(10, 12, 1, "write x", json!(1)).op(20, 101, 1, "write x", json!(2));
    script.op(100, 102, 2, "read x", json!(1));
    let staleness = script.judgement().profile.staleness.expect("registers");
    assert_eq!((staleness.reads, staleness.stale, staleness.oldest_ms), (1, 0, None));
}

#[test]
fn divergence_counts_what_had_settled_before_the_round() {
    let round = |written_ms: u64, answers: [u64; 3]| {
        let mut script = Script::new(3);
        script.op(10, 12, 1, "write p", json!(1)).op(20, written_ms, 2, "write p", json!(2));
        script.probe(100, "p", &answers.map(Value::from));
        let divergence = script.judgement().profile.divergence;
        divergence.map(|divergence| (divergence.rounds, divergence.diverged, divergence.values))
    };
    assert_eq!(round(22, [1, 2, 2]), Some((1, 1, 2)));
    assert_eq!(round(22, [2, 2, 2]), Some((1, 0, 1)));
    // The second write ends after the round began: both answers may be right.
    assert_eq!(round(101, [1, 1, 2]), Some((1, 0, 1)));
    assert_eq!(round(101, [1, 2, 2]), None, "only one answer had settled");
}

#[test]
fn the_longest_window_and_the_convergence_are_bounded_by_rounds() {
    let profile = both_sides_write().judgement().profile;
    let divergence = profile.divergence.clone().expect("probed");
    assert_eq!(divergence.rounds, 27);
    // From the round at 5.05 s or 5.55 s to that of 10.55 s.
    assert_eq!((divergence.diverged, divergence.longest_ms), (12, 5_500.0));
    let [healing] = &profile.convergence[..] else { panic!("one heal") };
    // It was verified undone at 11.01 s, and the round of 11.05 s agrees.
    assert_eq!((healing.at_least_ms, healing.at_most_ms), (Some(0.0), Some(40.0)));
}

/// Only a round in which all gave the same answer ends a window: one that a write crossed says nothing.
#[test]
fn a_window_lasts_over_rounds_in_which_writes_were_under_way() {
    let longest = |second: u64, third_ms: u64| {
        let mut script = Script::new(2);
        script.op(10, 12, 1, "write p", json!(1)).op(20, 22, 2, "write p", json!(2));
        script.op(690, third_ms, 2, "write p", json!(3)).op(1_300, 1_301, 1, "write p", json!(4));
        for (at_ms, answers) in
            [(200, [1, 2]), (700, [1, second]), (1_200, [1, 3]), (1_700, [4, 3])]
        {
            script.probe(at_ms, "p", &answers.map(Value::from));
        }
        script.judgement().profile.divergence.expect("probed").longest_ms
    };
    assert_eq!(longest(3, 695), 1_500.0);
    assert_eq!(longest(3, 702), 1_500.0, "under way, and the answers were different");
    assert_eq!(longest(1, 695), 500.0, "all gave the same answer");
    // Of three nodes the one that differed did not answer in the second round.
    let mut script = Script::new(3);
    script.op(10, 12, 1, "write p", json!(1)).op(20, 22, 2, "write p", json!(2));
    for (at_ms, answers) in [(200, vec![2, 2, 1]), (700, vec![2, 2]), (1_200, vec![2, 2, 1])] {
        let answers: Vec<Value> = answers.into_iter().map(Value::from).collect();
        script.probe(at_ms, "p", &answers);
    }
    assert_eq!(script.judgement().profile.divergence.expect("probed").longest_ms, 1_000.0);
}

#[test]
fn a_heal_that_nobody_saw_the_end_of_is_bounded_from_below() {
    let rounds = |differing: &[u64], until_ms: u64| {
        let mut script = Script::new(2);
        script.op(1_000, 1_001, 1, "write p", json!(1)).op(1_100, 1_101, 2, "write p", json!(2));
        script.cut(2_000, 3_000, &[1], &[2]);
        for at_ms in (3_500..until_ms).step_by(500) {
            let other = if differing.contains(&at_ms) { 1 } else { 2 };
            script.probe(at_ms, "p", &[json!(other), json!(2)]);
        }
        let healing = script.judgement().profile.convergence.remove(0);
        (healing.at_least_ms, healing.at_most_ms, healing.reason.is_some())
    };
    assert_eq!(rounds(&[3_500, 4_000], 6_000), (Some(990.0), Some(1_490.0), false));
    assert_eq!(rounds(&[], 6_000), (Some(0.0), Some(490.0), false));
    assert_eq!(rounds(&[5_500], 6_000), (Some(2_490.0), None, true));
    assert_eq!(rounds(&[], 3_000), (None, None, true));
}

/// Where others are told later, every write makes nodes differ for a while.
#[test]
fn what_is_written_after_a_heal_does_not_lengthen_its_convergence() {
    let at_least = |key: &str, agreed: u64| {
        let mut script = Script::new(2);
        script.op(1_000, 1_001, 1, "write p", json!(1)).op(1_100, 1_101, 2, "write p", json!(2));
        script.cut(2_000, 3_000, &[1], &[2]);
        script.probe(3_500, "p", &[json!(1), json!(2)]).probe(
            4_000,
            "p",
            &[json!(agreed), json!(2)],
        );
        script.op(4_100, 4_101, 2, &format!("write {key}"), json!(3));
        script.probe(4_200, key, &[if key == "p" { json!(2) } else { Value::Null }, json!(3)]);
        script.judgement().profile.convergence[0].at_least_ms
    };
    assert_eq!(at_least("p", 2), Some(490.0), "they had agreed before");
    assert_eq!(at_least("p", 1), Some(1_190.0), "they never had");
    assert_eq!(at_least("q", 1), Some(990.0), "a key that the fault never saw");
}

#[test]
fn a_fault_is_what_could_not_cross() {
    let nature = |name: &str, value: Value| {
        let mut script = Script::new(4);
        script.op(10, 12, 1, "write x", json!(1)).fault(name, 1_000, 2_000, &value);
        script.judgement().faults[0].nature
    };
    let halves = cut_between(&[1, 2], &[3, 4]);
    assert_eq!(nature("halves", halves.clone()), Nature::TotalPartition);
    // One direction of one link is enough for it not to be total.
    let mut leaking = halves;
    leaking["cut"].as_array_mut().expect("pairs").pop();
    assert_eq!(nature("halves", leaking), Nature::PartialPartition);
    let ring = json!({"cut": [["n1", "n3"], ["n3", "n1"], ["n2", "n4"], ["n4", "n2"]]});
    assert_eq!(nature("majorities-ring", ring), Nature::PartialPartition);
    let one_way = json!({"cut": [["n1", "n3"], ["n1", "n2"], ["n1", "n4"]]});
    assert_eq!(nature("one-way", one_way), Nature::PartialPartition);
    let clients = json!({"cut": [["clients", "n1"], ["n1", "clients"]]});
    assert_eq!(nature("client-side", clients), Nature::ClientsCutOff);
    let all =
        json!([["n1", "n2"], ["n2", "n1"], ["n1", "n3"], ["n3", "n1"], ["n1", "n4"], ["n4", "n1"]]);
    let bad = |quality: &str| json!({"cut": [], "links": all, "quality": quality});
    assert_eq!(nature("delay", bad("delay 200ms")), Nature::SlowNetwork);
    assert_eq!(nature("loss", bad("loss 30%")), Nature::LossyNetwork);
    assert_eq!(nature("loss", bad("loss 100%")), Nature::TotalPartition);
    assert_eq!(nature("kill", json!({"cut": [], "targets": ["n1"]})), Nature::Nodes);
}

fn cell<'p>(profile: &'p Profile, dimension: &str, column: usize) -> &'p Cell {
    let row = profile.table.iter().find(|row| row.dimension == dimension).expect("a row");
    &row.cells[column]
}

#[test]
fn the_table_is_earned_by_figures() {
    let profile = both_sides_write().judgement().profile;
    let names: Vec<&str> = profile.columns.iter().map(|column| column.name).collect();
    assert_eq!(
        names,
        ["no partition", "partitioned: this side", "partitioned: that side", "healed"]
    );
    let dimensions: Vec<&str> = profile.table.iter().map(|row| row.dimension).collect();
    assert_eq!(
        dimensions,
        [
            "primary goal shown",
            "latency",
            "throughput",
            "request handling",
            "writes",
            "replication",
            "data correctness",
            "metrics to watch"
        ]
    );
    let word = |dimension, column| cell(&profile, dimension, column).word;
    assert_eq!(word("primary goal shown", 0), Some("available and correct"));
    assert_eq!(word("data correctness", 0), Some("single view"));
    for side in [1, 2] {
        assert_eq!(word("primary goal shown", side), Some("stay available"));
        assert_eq!(word("request handling", side), Some("serve"));
        assert_eq!(word("writes", side), Some("accepted locally"));
        assert_eq!(word("data correctness", side), Some("stale or conflicting"));
    }
    assert_eq!(word("writes", 0), Some("local"));
    assert!(profile.sentence.starts_with("AP: "), "{}", profile.sentence);
    assert!(profile.sentence.contains("nodes differed for 5.5 s at least"), "{}", profile.sentence);
}

#[test]
fn a_minority_that_hangs_blocks_and_one_that_answers_refuses() {
    let handling = |ending: (&str, &str), late: bool| {
        let mut script = Script::new(3);
        script.phase(0, "main").leads(50, 1).cut(5_000, 11_000, &[1], &[2, 3]);
        for at_ms in (100..14_000).step_by(20) {
            let node = (at_ms / 20 % 3) as usize + 1;
            let key = format!("k{at_ms}");
            let end_ms = if late { at_ms + 2_000 } else { at_ms + 1 };
            if node == 1 && (5_000..11_000).contains(&at_ms) {
                script.failing(at_ms, end_ms, node, &key, at_ms, ending);
            } else {
                script.op(at_ms, at_ms + 1, node, &format!("write {key}"), json!(at_ms));
            }
        }
        let judgement = script.judgement();
        let word = |dimension| cell(&judgement.profile, dimension, 2).word;
        (word("request handling"), word("writes"), word("latency"))
    };
    let refused = handling(("fail", "refused"), false);
    assert_eq!(refused, (Some("refuse"), Some("need the other side"), None));
    let blocked = handling(("info", "timeout"), true);
    assert_eq!(blocked, (Some("block"), Some("need the other side"), None));
    let broken = handling(("fail", "other"), false);
    assert_eq!(broken, (Some("fail"), Some("need the other side"), None));
}

#[test]
fn latency_counts_from_when_a_request_was_due() {
    let mut script = Script::new(1);
    for at_ms in 1..=1_000 {
        let took_ms = if at_ms % 100 == 0 { 500 } else { 4 };
        script.op(at_ms, at_ms + took_ms, 1, &format!("write k{at_ms}"), json!(at_ms));
    }
    let profile = script.phase(0, "baseline").judgement().profile;
    let baseline = &profile.stretches[0];
    assert_eq!(baseline.name, "baseline");
    let latency_ms = baseline.sides[0].traffic.latency_ms.expect("answered");
    assert!((3.9..4.1).contains(&latency_ms.p50) && (3.9..4.1).contains(&latency_ms.p99));
    assert!((495.0..505.0).contains(&latency_ms.p99_9), "{latency_ms:?}");
}

#[test]
fn each_side_of_each_fault_is_profiled_and_each_node_where_there_are_no_sides() {
    let mut script = both_sides_write();
    script.fault("kill", 13_000, 13_500, &json!({"cut": [], "targets": ["n2"]}));
    let profile = script.judgement().profile;
    let sides: Vec<Vec<String>> = profile
        .stretches
        .iter()
        .map(|stretch| stretch.sides.iter().map(|side| side.nodes.join(" ")).collect())
        .collect();
    assert_eq!(sides, [vec!["n1 n2 n3"], vec!["n1", "n2 n3"], vec!["n1", "n2", "n3"]]);
    let cut = &profile.stretches[1];
    assert_eq!(cut.nature, Some(Nature::TotalPartition));
    assert_eq!(cut.sides.iter().map(|side| side.majority).collect::<Vec<_>>(), [false, true]);
    // Each lacks what the other wrote; reads, other than those of probes, are at n1.
    let stale = |side: usize| cut.sides[side].staleness.as_ref().map(|staleness| staleness.stale);
    assert!(
        stale(0) > Some(20) && stale(1) > Some(0) && stale(1) < Some(12),
        "{:?} {:?}",
        stale(0),
        stale(1)
    );
}
