//! Exact schedules, and what holds of all of them.

use proptest::prelude::*;

use super::*;
use crate::node::Capability;

/// `at..end fault`, one after another; `at.. fault` if it has no end of its own.
fn shown(timeline: &Timeline) -> String {
    let step = |step: &Step| match step.for_ms {
        Some(for_ms) => format!("{}..{} {}", step.at_ms, step.at_ms + for_ms, step.choice),
        None => format!("{}.. {}", step.at_ms, step.choice),
    };
    timeline.iter().map(step).collect::<Vec<_>>().join(", ")
}

fn asked(names: &[&str]) -> Vec<Choice> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[track_caller]
fn check_default(main_ms: u64, seed: u64, expected: &str) {
    assert_eq!(shown(&default_timeline(main_ms, seed)), expected);
}

#[track_caller]
fn check_cycled(main_ms: u64, names: &[&str], expected: &str) {
    assert_eq!(shown(&cycled_timeline(main_ms, &asked(names), 1)), expected);
}

#[test]
fn the_default_plan_of_thirty_seconds() {
    check_default(
        24_000,
        1,
        "1300..6800 primaries, 8100..13300 random-halves, 14600..16600 kill, 17900..19900 \
         pause, 21200.. halves",
    );
    check_default(
        24_000,
        2,
        "1300..6800 primaries, 8100..13300 halves, 14600..16600 kill, 17900..19900 pause, \
         21200.. isolate-one",
    );
}

#[test]
fn the_default_plan_of_fifteen_seconds() {
    check_default(
        9_000,
        1,
        "250..5050 primaries, 5300..6000 kill, 6250..6950 pause, 7200.. random-halves",
    );
}

#[test]
fn default_plans_in_between_and_below() {
    check_default(
        16_000,
        1,
        "560..5560 primaries, 6120..11120 random-halves, 11680..12380 kill, 12940..13640 \
         pause, 14200.. halves",
    );
    check_default(
        12_000,
        1,
        "518..6046 primaries, 6564..7606 kill, 8124..9166 pause, 9684.. random-halves",
    );
    check_default(7_000, 1, "200..5000 primaries, 5200..5900 kill, 6100..6800 pause");
    check_default(6_000, 1, "166..4966 primaries, 5132..5832 kill");
    check_default(3_000, 1, "200.. primaries");
    check_default(0, 1, "0.. primaries");
}

#[test]
fn the_default_plan_of_a_minute_goes_on() {
    check_default(
        54_000,
        1,
        "1354..6854 primaries, 8208..13408 random-halves, 14762..16762 kill, 18116..20116 \
         pause, 21470..26670 isolate-one, 28024..30024 kill, 31378..36578 one-way, \
         37932..39932 pause, 41286..46486 halves, 47840..49840 kill, 51194.. halves",
    );
}

#[test]
fn faults_that_were_asked_for_take_turns() {
    check_cycled(
        24_000,
        &["halves", "kill:minority"],
        "1500..6500 halves, 8000..10000 kill:minority, 11500..16500 halves, 18000..20000 \
         kill:minority, 21500.. halves",
    );
    check_cycled(
        24_000,
        &["pause"],
        "1500..3500 pause, 5000..7000 pause, 8500..10500 pause, 12000..14000 pause, \
         15500..17500 pause, 19000..21000 pause",
    );
    check_cycled(9_000, &["primaries"], "1350..5850 primaries, 7200.. primaries");
    check_cycled(9_000, &["halves", "kill"], "1000..4333 halves, 5333..6666 kill, 7666.. halves");
    check_cycled(500, &["halves", "kill"], "55.. halves");
    check_cycled(9_000, &[], "");
}

fn assert_orderly(timeline: &Timeline, main_ms: u64) {
    let mut free_from = 0;
    for (id, step) in (1..).zip(timeline) {
        assert_eq!(step.id, id);
        assert!(step.at_ms >= free_from, "overlap: {}", shown(timeline));
        let end = step.at_ms + step.for_ms.unwrap_or(0);
        assert!(end <= main_ms, "after the end: {}", shown(timeline));
        free_from = end;
        let is_last = id as usize == timeline.len();
        assert!(step.for_ms.is_some() || is_last, "open in the middle: {}", shown(timeline));
        if step.for_ms.is_none() {
            assert_eq!(step.choice.fault.needs, Capability::Links);
        }
    }
}

proptest! {
    #[test]
    fn default_plans_are_orderly_and_end_inside_a_cut(main_ms in 0u64..200_000, seed: u64) {
        let timeline = default_timeline(main_ms, seed);
        assert_orderly(&timeline, main_ms);
        prop_assert_eq!(timeline[0].choice.fault.name, "primaries");
        if main_ms >= 9_000 {
            prop_assert!(timeline.last().unwrap().for_ms.is_none());
            prop_assert!(timeline[0].for_ms.unwrap() >= 4_800);
            for name in ["kill", "pause"] {
                prop_assert!(timeline.iter().any(|step| step.choice.fault.name == name));
            }
        }
        if main_ms >= 16_000 {
            let long = |step: &&Step| step.for_ms.is_some_and(|ms| ms >= 5_000);
            prop_assert!(timeline.iter().filter(long).count() >= 2);
        }
        if main_ms >= 24_000 {
            prop_assert!(timeline.last().unwrap().at_ms + 2_000 <= main_ms);
        }
        prop_assert_eq!(shown(&timeline), shown(&default_timeline(main_ms, seed)));
    }

    #[test]
    fn asked_plans_are_orderly_and_leave_nothing_out(
        main_ms in 0u64..200_000,
        picks in prop::collection::vec(0..crate::faults::ALL.len(), 0..9),
        seed: u64,
    ) {
        let names: Vec<_> = picks.iter().map(|pick| crate::faults::ALL[*pick].name).collect();
        let timeline = cycled_timeline(main_ms, &asked(&names), seed);
        assert_orderly(&timeline, main_ms);
        if main_ms >= 60_000 {
            for name in names {
                prop_assert!(timeline.iter().any(|step| step.choice.fault.name == name));
            }
        }
    }
}

#[test]
fn the_seed_decides_and_another_one_decides_otherwise() {
    let plans: std::collections::BTreeSet<_> =
        (0..50).map(|seed| shown(&default_timeline(24_000, seed))).collect();
    assert_eq!(plans.len(), 6, "three second cuts, and another one of them at the end");
    let seeds = |seed| default_timeline(24_000, seed).iter().map(|s| s.seed).collect::<Vec<_>>();
    assert_eq!(seeds(1), seeds(1));
    assert_ne!(seeds(1), seeds(2));
}

#[test]
fn what_comes_and_goes_is_a_step_for_each_time() {
    let step = |at_ms, for_ms, choice: &str| Step {
        id: 1,
        at_ms,
        for_ms,
        choice: choice.parse().unwrap(),
        beat: 0,
        seed: 7,
    };
    let planned = [step(1000, Some(2500), "flapping@on=1s+off=500ms"), step(1200, None, "halves")];
    let steps = with_beats(&planned, 9_000);
    assert_eq!(
        shown(&steps),
        "1000..2000 flapping@off=500ms+on=1s, 1200.. halves, 2500..3500 flapping@off=500ms+on=1s"
    );
    assert_eq!(steps.iter().map(|s| (s.id, s.beat)).collect::<Vec<_>>(), [(1, 0), (2, 0), (3, 1)]);
    assert!(steps.iter().all(|step| step.seed == 7), "the same halves each time");
    assert_eq!(with_beats(&[step(1000, None, "crash-loop:n1")], 3_500).len(), 3);
}

#[test]
fn only_what_hits_the_same_process_at_the_same_time_contradicts() {
    let nodes: Vec<String> = ["n1", "n2", "n3"].map(str::to_owned).into();
    let check = |one: &str, other: &str, expected: bool| {
        let step = |at_ms, choice: &str| Step {
            id: 1,
            at_ms,
            for_ms: Some(1000),
            choice: choice.parse().unwrap(),
            beat: 0,
            seed: 1,
        };
        let found = contradiction(&[step(0, one), step(500, other)], &nodes);
        assert_eq!(found, expected.then_some((0, 1)), "{one} and {other}");
        let later = contradiction(&[step(0, one), step(1000, other)], &nodes);
        assert_eq!(later, None, "{one} and then {other}");
    };
    check("kill:n1", "pause:n1+n2", true);
    check("kill:all", "pause", true);
    check("stop:majority", "pause:majority", true);
    check("kill:n1", "pause:n2", false);
    check("kill", "pause", false);
    check("halves", "primaries", false);
    check("halves", "kill:n1", false);
}
