//! What it costs that a primary is taken away.

use serde_json::json;

use crate::script::{Script, cut_between};

/// A write each 20 ms at the nodes in turn. From 2 s on, n1, which led, is gone; the others refuse
/// until 2.5 s.
fn killed(refusing: bool) -> Script {
    let mut script = Script::new(3);
    script.phase(0, "main").leads(100, 1).leads(2_450, 2);
    script.fault("kill", 2_000, 4_000, &json!({"cut": [], "targets": ["n1"]}));
    for at_ms in (110..6_000).step_by(20) {
        let node = (at_ms / 20 % 3) as usize + 1;
        let gone = node == 1 && (2_000..4_000).contains(&at_ms);
        let refuses = refusing && (2_000..2_500).contains(&at_ms);
        if gone || refuses {
            script.failing(
                at_ms,
                at_ms + 1,
                node,
                &format!("k{at_ms}"),
                at_ms,
                ("fail", "refused"),
            );
        } else {
            script.op(at_ms, at_ms + 3, node, &format!("write k{at_ms}"), json!(at_ms));
        }
    }
    script
}

#[test]
fn the_rto_ends_with_the_first_write_that_was_due_after_the_fault() {
    let judgement = killed(true).judgement();
    let [fault] = &judgement.failover.faults[..] else { panic!("one fault") };
    assert_eq!(fault.primary, ["n1"]);
    // n1 is asked at 2,490 ms and the next write is due at 2,510 ms.
    assert_eq!(fault.rto_ms, Some(513.0));
    let sides: Vec<_> =
        fault.sides.iter().map(|side| (side.nodes.join(" "), side.primary, side.rto_ms)).collect();
    assert_eq!(
        sides,
        [("n1".to_owned(), true, Some(2_033.0)), ("n2 n3".to_owned(), false, Some(513.0))]
    );
    assert_eq!(judgement.failover.rto_ms.map(|rto| (rto.count, rto.max)), Some((1, 513.0)));
}

#[test]
fn without_a_failed_write_the_rto_is_zero() {
    let judgement = killed(false).judgement();
    let sides = &judgement.failover.faults[0].sides;
    assert_eq!((sides[1].rto_ms, sides[1].first_ok_ms), (Some(0.0), Some(13.0)));
    assert!(sides[0].rto_ms > Some(2_000.0), "{sides:?}");
}

#[test]
fn only_what_takes_a_primary_away_counts() {
    let faults = |name: &str, value| {
        let mut script = Script::new(5);
        script.op(10, 11, 1, "write x", json!(1)).leads(100, 1);
        script.fault(name, 1_000, 2_000, &value).op(2_500, 2_501, 1, "write x", json!(2));
        let failover = script.judgement().failover;
        (failover.faults.len(), failover.reason.is_some())
    };
    assert_eq!(faults("halves", cut_between(&[1, 2], &[3, 4, 5])), (1, false));
    assert_eq!(faults("halves", cut_between(&[1, 2, 3], &[4, 5])), (0, true));
    assert_eq!(faults("pause", json!({"targets": ["n1"]})), (1, false));
    assert_eq!(faults("pause", json!({"targets": ["n2"]})), (0, true));
    assert_eq!(faults("skew", json!({"targets": ["n1"]})), (0, true));
    // Without a link to three of the four others; with one way to them it cannot work either.
    let one_way = json!({"cut": [["n1", "n2"], ["n1", "n3"], ["n1", "n4"]]});
    assert_eq!(faults("one-way", one_way), (1, false));
}

#[test]
fn a_primary_that_never_comes_back_has_no_rto() {
    let mut script = Script::new(3);
    script.leads(100, 1).op(200, 201, 1, "write x", json!(1));
    script.fault("kill", 1_000, 1_500, &json!({"targets": ["n1"]}));
    script.failing(1_200, 1_201, 2, "x", 2, ("fail", "refused"));
    let fault = script.judgement().failover.faults.remove(0);
    assert_eq!((fault.rto_ms, fault.first_ok_ms), (None, None));
}

/// Writes to keys of their own and to `x`, and what three nodes hold of them in the end.
fn read_back(held: [Option<u64>; 3], last_of_x: u64) -> Script {
    let mut script = Script::new(3);
    script.phase(0, "main").leads(100, 1);
    script.op(500, 501, 1, "write w0", json!(1)).op(1_900, 1_901, 1, "write w1", json!(2));
    script.op(1_700, 1_701, 1, "write x", json!(10)).op(1_800, 1_801, 1, "write x", json!(11));
    script.fault("kill", 2_000, 3_000, &json!({"targets": ["n1"]}));
    script.op(3_500, 3_501, 2, "write w2", json!(3)).phase(4_000, "final");
    for round_ms in [4_100, 4_300] {
        script.read_at_all(round_ms, "w0", &[json!(1), json!(1), json!(1)]);
        script.read_at_all(round_ms + 10, "w1", &held.map(|value| json!(value)));
        script.read_at_all(round_ms + 20, "w2", &[json!(3), json!(3), json!(3)]);
        let x = json!(last_of_x);
        script.read_at_all(round_ms + 30, "x", &[x.clone(), x.clone(), x]);
    }
    script
}

#[test]
fn the_rpo_is_exact_for_keys_that_were_written_once() {
    let failover = read_back([None; 3], 11).judgement().failover;
    let loss = &failover.loss;
    assert_eq!((loss.written_once, loss.undecided), (Some(3), Some(0)));
    assert_eq!((loss.lost_once, loss.lost_at_least), (Some(1), Some(0)));
    assert_eq!((loss.from_s, loss.span_ms), (Some(1.901), Some(0.0)));
    assert_eq!(loss.keys, ["w1"]);
    assert_eq!(&failover.faults[0].loss, loss, "it was lost with the fault that followed");
    let kept = read_back([Some(2); 3], 11).judgement().failover.loss;
    assert_eq!((kept.lost_once, kept.lost_at_least, kept.keys.len()), (Some(0), Some(0), 0));
    // One node still has it: the nodes differ, and nobody knows which it will be.
    let differing = read_back([None, Some(2), None], 11).judgement().failover.loss;
    assert_eq!((differing.lost_once, differing.undecided), (Some(0), Some(1)));
}

#[test]
fn of_overwritten_keys_at_least_what_was_newer_is_lost() {
    let loss = read_back([None; 3], 10).judgement().failover.loss;
    assert_eq!((loss.lost_once, loss.lost_at_least), (Some(1), Some(1)));
    assert_eq!((loss.from_s, loss.span_ms), (Some(1.801), Some(100.0)));
    assert_eq!(loss.keys, ["w1", "x"]);
}

#[test]
fn two_sides_that_both_take_writes_are_a_split_brain() {
    let with = |other_from_ms: u64| {
        let mut script = Script::new(3);
        script.leads(100, 1).cut(1_000, 9_000, &[1], &[2, 3]);
        for at_ms in (1_100..8_900).step_by(100) {
            script.op(at_ms, at_ms + 5, 2, &format!("write a{at_ms}"), json!(at_ms));
            if at_ms >= other_from_ms && at_ms < 7_000 {
                script.op(at_ms, at_ms + 5, 1, &format!("write b{at_ms}"), json!(at_ms));
            }
        }
        // Begun before the cut, or ended after it: the other side can have been asked.
        script.op(900, 1_100, 1, "write c", json!(1)).op(8_950, 9_100, 1, "write d", json!(2));
        script.judgement().failover.split_brain
    };
    let split = with(3_000);
    assert_eq!(split.len(), 1);
    assert_eq!((split[0].from_s, split[0].for_ms), (3.005, 3_895.0));
    assert_eq!(split[0].sides, [vec!["n1"], vec!["n2", "n3"]]);
    assert!(with(7_000).is_empty());
}
