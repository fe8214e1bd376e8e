//! The CAP profile of runs that were made to earn it, each beside one that just does not.

mod counts;
mod scenario;

use splitbrain_checker::{CapWindow, Service};

use scenario::Answer::{Refused, Served};
use scenario::{Break, Request, Scenario, cut};

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
        serde_json::json!([{"id": 0, "name": "cut", "effect": "installed", "nature": "total-partition",
            "decided_to_in_force_ms": 20.0, "active_ms": 6000.0,
            "heal_decided_to_verified_ms": 30.0}])
    );
}
