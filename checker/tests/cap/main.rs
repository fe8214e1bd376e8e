//! The CAP profile of runs that were made to earn it, each beside one that just does not.

mod scenario;

use splitbrain_checker::{CapWindow, Service};

use scenario::Answer::{Late, Mismatch, NotAsked, Refused, Served};
use scenario::{Break, Request, Scenario, cut, kill};

/// Compares the profile, its reason and the windows, one line each.
#[track_caller]
fn check(scenario: &Scenario, expected: &str) {
    let judgement = scenario.judgement();
    let cap = serde_json::to_value(judgement.cap).expect("a value");
    let mut found = cap.as_str().unwrap_or("null").to_owned();
    if let Some(reason) = &judgement.cap_reason {
        found += &format!(": {reason}");
    }
    for window in &judgement.cap_windows {
        found += &format!("\n{}", show(window));
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(found, expected.join("\n"));
}

fn show(window: &CapWindow) -> String {
    let word = |service: Option<Service>| match service {
        Some(service) => format!("{service:?}").to_lowercase(),
        None => "-".to_owned(),
    };
    let mut text = format!("{} at {:.1} s for {:.1} s", window.name, window.from_s, window.seconds);
    for side in &window.sides {
        text += &format!(" | {}", side.nodes.join(" "));
        text += if side.majority { " majority" } else { "" };
        text += if side.leader { " leader" } else { "" };
        text += &format!(" {} {} {}", side.due, word(side.reads), word(side.writes));
    }
    if let Some(reason) = &window.not_judged {
        text += &format!(" | {reason}");
    }
    text
}

/// The profile alone.
#[track_caller]
fn check_cap(scenario: &Scenario, expected: &str) {
    let judgement = scenario.judgement();
    let cap = serde_json::to_value(judgement.cap).expect("a value");
    assert_eq!(
        cap.as_str(),
        (expected != "null").then_some(expected),
        "{:?}",
        judgement.cap_reason
    );
}

const MINORITY: [usize; 2] = [1, 2];

fn halves(from_ms: u64, until_ms: u64) -> Break {
    cut(&[&MINORITY, &[3, 4, 5]], from_ms, until_ms)
}

fn within(request: &Request, from_ms: u64, until_ms: u64) -> bool {
    (from_ms..until_ms).contains(&request.at_ms)
}

fn minority_refuses(request: &Request) -> scenario::Answer {
    let cut_off = MINORITY.contains(&request.node) && within(request, 5_000, 11_000);
    if cut_off { Refused } else { Served }
}

/// A leader is cut off, its side refuses, the other goes on.
fn cp() -> Scenario {
    Scenario {
        breaks: vec![halves(5_000, 11_000)],
        leaders: vec![(1_000, 1), (6_000, 3)],
        answer: Box::new(minority_refuses),
        ..Scenario::default()
    }
}

/// Every side serves and keeps a copy of its own.
fn ap() -> Scenario {
    Scenario { breaks: vec![halves(5_000, 11_000)], copies: true, ..Scenario::default() }
}

#[test]
fn cp_when_the_leaders_minority_refuses() {
    check(
        &cp(),
        "CP
         cut at 5.0 s for 6.0 s | n1 n2 leader 80 refuses refuses | n3 n4 n5 majority 120 serves serves",
    );
}

#[test]
fn cp_needs_the_leader_cut_off_in_some_window() {
    check_cap(&Scenario { leaders: vec![(1_000, 3)], ..cp() }, "null");
    let both = |leaders| Scenario {
        length_ms: 25_000,
        breaks: vec![halves(5_000, 11_000), cut(&[&MINORITY, &[3, 4, 5]], 14_000, 20_000)],
        answer: Box::new(|request| {
            let cut_off = MINORITY.contains(&request.node)
                && (within(request, 5_000, 11_000) || within(request, 14_000, 20_000));
            if cut_off { Refused } else { Served }
        }),
        leaders,
        ..Scenario::default()
    };
    check_cap(&both(vec![(1_000, 3), (12_000, 1)]), "CP");
    check_cap(&both(vec![(1_000, 3), (12_000, 4)]), "null");
    // Without any leader there is none to cut off.
    check_cap(&both(vec![]), "CP");
}

#[test]
fn without_a_majority_side_all_may_refuse() {
    let four = |answer: Box<dyn Fn(&Request) -> scenario::Answer>| Scenario {
        nodes: 4,
        breaks: vec![cut(&[&[1, 2], &[3, 4]], 5_000, 11_000)],
        answer,
        ..Scenario::default()
    };
    check_cap(&four(Box::new(|r| if within(r, 5_000, 11_000) { Refused } else { Served })), "CP");
    check_cap(&four(Box::new(|_| Served)), "null");
}

#[test]
fn ap_when_every_side_serves_and_the_copies_differ() {
    check(
        &ap(),
        "AP
         cut at 5.0 s for 6.0 s | n1 n2 80 serves serves | n3 n4 n5 majority 120 serves serves",
    );
}

#[test]
fn ap_needs_reads_and_writes_on_every_side_in_every_window() {
    let no_writes = |from_ms, until_ms| -> Box<dyn Fn(&Request) -> scenario::Answer> {
        Box::new(move |r| {
            let cut_off = MINORITY.contains(&r.node) && within(r, from_ms, until_ms);
            if cut_off && !r.read { Refused } else { Served }
        })
    };
    check_cap(&Scenario { answer: no_writes(5_000, 11_000), ..ap() }, "CA");
    let two = |answer| Scenario {
        length_ms: 25_000,
        breaks: vec![halves(5_000, 11_000), halves(14_000, 20_000)],
        answer,
        ..ap()
    };
    check_cap(&two(Box::new(|_| Served)), "AP");
    check_cap(&two(no_writes(14_000, 20_000)), "CA");
}

#[test]
fn both_at_once_is_not_believed() {
    check(
        &Scenario { copies: false, ..ap() },
        "null: linearizable was not seen to break although every side served
         cut at 5.0 s for 6.0 s | n1 n2 80 serves serves | n3 n4 n5 majority 120 serves serves",
    );
}

#[test]
fn both_at_once_in_one_window_is_not_believed_either() {
    let breaks = vec![halves(5_000, 11_000), halves(14_000, 20_000)];
    check_cap(&Scenario { length_ms: 25_000, breaks, ..cp() }, "null");
}

#[test]
fn ca_is_both_until_partitioned_else_neither() {
    // One node does all the work, and it is cut off with the minority.
    let single = |r: &Request| {
        let cut_off = r.node > 2 && within(r, 5_000, 11_000);
        if cut_off { Refused } else { Served }
    };
    let ca = Scenario { answer: Box::new(single), ..cp() };
    check(
        &ca,
        "CA
         cut at 5.0 s for 6.0 s | n1 n2 leader 80 serves serves | n3 n4 n5 majority 120 refuses refuses",
    );
    // The twin: one node did not even serve before.
    let answer = move |r: &Request| {
        if r.node == 4 && within(r, 0, 5_000) { Refused } else { single(r) }
    };
    check_cap(&Scenario { answer: Box::new(answer), ..ca }, "neither");
    // Another: the copies differed before the cut already.
    let mut unsafe_before = Scenario { answer: Box::new(single), copies: true, ..cp() };
    unsafe_before.breaks.push(Break { effect: "skipped", ..halves(1_000, 2_000) });
    check_cap(&unsafe_before, "neither");
}

#[test]
fn a_window_of_four_seconds_is_judged() {
    let lasting = |ms: u64| Scenario { breaks: vec![halves(5_000, 5_000 + ms)], ..ap() };
    check_cap(&lasting(4_000), "AP");
    check(
        &lasting(3_999),
        "null: no cut between sides could be judged
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
        "null: no cut between sides could be judged
         cut at 5.0 s for 6.0 s | n1 n2 19 serves serves | n3 n4 n5 majority 120 serves serves | 19 operations were due on n1 n2, and 20 are needed",
    );
}

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
fn only_what_separates_sides_is_a_cut() {
    let none = "null: no cut between sides could be judged";
    check(&Scenario { breaks: vec![], ..ap() }, none);
    check(
        &Scenario { breaks: vec![Break { effect: "skipped", ..halves(5_000, 11_000) }], ..ap() },
        none,
    );
    check(
        &Scenario {
            breaks: vec![Break { effect: "indeterminate", ..halves(5_000, 11_000) }],
            ..ap()
        },
        none,
    );
    check(&Scenario { breaks: vec![cut(&[&[1, 2, 3, 4, 5]], 5_000, 11_000)], ..ap() }, none);
    let leaking = Break { links_left: vec![(4, 2)], ..halves(5_000, 11_000) };
    check(&Scenario { breaks: vec![leaking], ..ap() }, none);
}

#[test]
fn figures_of_a_fault() {
    let judgement = cp().judgement();
    let fault = serde_json::to_value(&judgement.faults).expect("a value");
    assert_eq!(
        fault,
        serde_json::json!([{"id": 0, "name": "cut", "effect": "installed",
            "decided_to_in_force_ms": 20.0, "active_ms": 6000.0,
            "heal_decided_to_verified_ms": 30.0}])
    );
}
