//! Which operations count, and what they add up to.

use splitbrain_checker::Service;

use crate::scenario::Answer::{Late, Mismatch, NotAsked, Refused, Served};
use crate::scenario::{Break, Request, Scenario, cut, kill};
use crate::{ap, check, check_cap, cp, halves, minority_refuses, within};

#[test]
fn nine_in_ten_serve_and_one_in_ten_refuses() {
    // Within the judged 2 s node 1 gets 20 reads and 20 writes.
    let failing = |count: u64| Scenario {
        breaks: vec![cut(&[&[1], &[2, 3, 4, 5]], 5_000, 11_000)],
        answer: Box::new(move |r| {
            let fails = r.node == 1 && within(r, 8_000, 8_000 + 100 * count);
            if fails { Refused } else { Served }
        }),
        ..Scenario::default()
    };
    let windows = |count| {
        let judgement = failing(count).judgement();
        let side = &judgement.cap_windows[0].sides[0];
        assert_eq!(side.due, 40);
        (side.read_success, side.reads, side.writes)
    };
    assert_eq!(windows(2), (Some(0.9), Some(Service::Serves), Some(Service::Serves)));
    assert_eq!(windows(3), (Some(0.85), Some(Service::Partial), Some(Service::Partial)));
    assert_eq!(windows(17), (Some(0.15), Some(Service::Partial), Some(Service::Partial)));
    assert_eq!(windows(18), (Some(0.1), Some(Service::Refuses), Some(Service::Refuses)));
}

#[test]
fn the_first_half_is_allowance_and_what_ends_after_the_heal_is_left_out() {
    // Judged is what was due from 8 s to 10 s.
    let failing = |from_ms, until_ms| Scenario {
        answer: Box::new(move |r| {
            if r.node <= 2 && within(r, from_ms, until_ms) { Refused } else { Served }
        }),
        ..ap()
    };
    check_cap(&failing(5_000, 8_000), "AP");
    check_cap(&failing(10_001, 11_000), "AP");
    check_cap(&failing(8_000, 8_300), "CA");
    check_cap(&failing(9_700, 10_001), "CA");
}

#[test]
fn shed_operations_were_due() {
    let shed = |at_ms, count| {
        let sides = [false, true].map(|shed_late| {
            let shed = vec![(at_ms, 1, "read", count), (at_ms, 1, "cas", count)];
            let judgement = Scenario { shed, shed_late, ..ap() }.judgement();
            let side = judgement.cap_windows[0].sides[0].clone();
            (side.due, side.reads, side.writes)
        });
        assert_eq!(sides[0], sides[1]);
        sides[0]
    };
    let (serves, partial) = (Some(Service::Serves), Some(Service::Partial));
    // 40 reads and 40 writes were answered.
    assert_eq!(shed(9_000, 4), (88, serves, serves));
    assert_eq!(shed(9_000, 5), (90, partial, partial));
    // Half of that second was allowance, or after the last deadline; another is outside altogether.
    assert_eq!(shed(8_500, 8), (88, serves, serves));
    assert_eq!(shed(10_500, 8), (88, serves, serves));
    assert_eq!(shed(8_000, 50), (80, serves, serves));
    assert_eq!(shed(11_000, 50), (80, serves, serves));
}

#[test]
fn a_node_that_is_down_is_left_out() {
    let dead = |r: &Request| {
        let killed = r.node == 5 && within(r, 7_000, 10_900);
        if killed { Refused } else { minority_refuses(r) }
    };
    let with = |breaks| Scenario { breaks, answer: Box::new(dead), ..cp() };
    check(
        &with(vec![halves(5_000, 11_000), kill(5, 7_000, 10_900)]),
        "CP
         cut at 5.0 s for 6.0 s | n1 n2 leader 80 refuses refuses | n3 n4 n5 majority 80 serves serves",
    );
    // The twins: nobody killed it, or the kill was skipped.
    let expected = "CA
         cut at 5.0 s for 6.0 s | n1 n2 leader 80 refuses refuses | n3 n4 n5 majority 120 partial partial";
    check(&with(vec![halves(5_000, 11_000)]), expected);
    let skipped = Break { effect: "skipped", ..kill(5, 7_000, 10_900) };
    check(&with(vec![halves(5_000, 11_000), skipped]), expected);
}

#[test]
fn operations_that_a_kill_interrupts_are_left_out() {
    // Node 5 dies at 9.5 s: what was due after 8.5 s had no full second to be answered in.
    let breaks = vec![halves(5_000, 11_000), kill(5, 9_500, 10_900)];
    let judgement = Scenario { breaks, ..cp() }.judgement();
    assert_eq!(judgement.cap_windows[0].sides[1].due, 40 + 40 + 10);
}

#[test]
fn a_mismatch_is_an_answer_and_a_late_ok_is_none() {
    let answering = |answer| {
        let answer = move |r: &Request| {
            if r.node <= 2 && within(r, 8_000, 11_000) && !r.read { answer } else { Served }
        };
        let judgement = Scenario { answer: Box::new(answer), ..ap() }.judgement();
        judgement.cap_windows[0].sides[0].write_success
    };
    assert_eq!(answering(Mismatch), Some(1.0));
    assert_eq!(answering(Late(1_000)), Some(1.0));
    assert_eq!(answering(Late(1_001)), Some(0.0));
    assert_eq!(answering(Refused), Some(0.0));
}

#[test]
fn a_window_of_four_seconds_is_judged() {
    let lasting = |ms: u64| Scenario { breaks: vec![halves(5_000, 5_000 + ms)], ..ap() };
    check_cap(&lasting(4_000), "AP");
    check(
        &lasting(3_999),
        "null: no cut between sides could be judged: it lasted less than 4 s
         cut at 5.0 s for 4.0 s | n1 n2 40 serves serves | n3 n4 n5 majority 60 serves serves | it lasted less than 4 s",
    );
}

#[test]
fn twenty_operations_on_each_side_are_enough() {
    // Judged is what was due from 8 s to 10 s.
    let asked = |until_ms| Scenario {
        answer: Box::new(move |r| {
            if r.node == 1 || (r.node == 2 && r.at_ms > until_ms) { NotAsked } else { Served }
        }),
        ..ap()
    };
    check_cap(&asked(8_990), "AP");
    check(
        &asked(8_940),
        "null: no cut between sides could be judged: 19 operations were due on n1 n2, and 20 are needed
         cut at 5.0 s for 6.0 s | n1 n2 19 serves serves | n3 n4 n5 majority 120 serves serves | 19 operations were due on n1 n2, and 20 are needed",
    );
}
