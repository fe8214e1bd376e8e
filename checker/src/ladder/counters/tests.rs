//! Every rung of counters against its definition taken literally, on random small histories, and by hand.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{Counters, Event, RUNGS, What};
use crate::history::History;
use crate::ladder::facts::Answer;
use crate::ladder::rung::Rung;
use crate::{Judgement, Options, judge};

/// The definition, by trying all orders, and all that may have happened.
fn holds(rung: Rung, events: &[Event]) -> bool {
    let uncertain: Vec<usize> = (0..events.len())
        .filter(|at| matches!(events[*at].what, What::Add { certain: false, .. }))
        .collect();
    (0..1_u32 << uncertain.len()).any(|chosen| {
        let left_out = |at: &usize| {
            uncertain.iter().zip(0..).any(|(one, bit)| one == at && chosen >> bit & 1 == 0)
        };
        let events: Vec<Event> =
            (0..events.len()).filter(|at| !left_out(at)).map(|at| events[at]).collect();
        (0..3).all(|reader| {
            let mut left: Vec<usize> = (0..events.len())
                .filter(|at| adds(&events[*at]) || events[*at].session == reader)
                .collect();
            serializes(&events, &mut left, &|a, b| keeps(rung, &events, a, b), &mut [0; 2])
        })
    })
}

fn adds(event: &Event) -> bool {
    matches!(event.what, What::Add { .. })
}

fn keeps(rung: Rung, events: &[Event], a: usize, b: usize) -> bool {
    let (one, other) = (&events[a], &events[b]);
    let so = one.session == other.session && a < b;
    let same_counter = so && adds(one) && adds(other) && one.key == other.key;
    let reads = so && !adds(one) && !adds(other);
    match rung {
        Rung::ReadYourWrites => {
            same_counter || so && adds(one) && !adds(other) && one.key == other.key
        }
        Rung::MonotonicReads => same_counter || reads,
        Rung::MonotonicWrites => so && adds(one) && adds(other) || reads,
        Rung::Pram => so,
        _ => panic!("{rung:?} is not of sessions"),
    }
}

fn serializes(
    events: &[Event],
    left: &mut Vec<usize>,
    keeps: &dyn Fn(usize, usize) -> bool,
    sums: &mut [i64; 2],
) -> bool {
    left.is_empty()
        || (0..left.len()).any(|at| {
            let next = left[at];
            if left.iter().any(|other| keeps(*other, next)) {
                return false;
            }
            let key = events[next].key as usize;
            let before = sums[key];
            match events[next].what {
                What::Add { amount, .. } => sums[key] += amount,
                What::Read(value) if value != before => return false,
                What::Read(_) => {}
            }
            left.remove(at);
            let serializes = serializes(events, left, keeps, sums);
            left.insert(at, next);
            sums[key] = before;
            serializes
        })
}

/// Mostly adds of 1, some reads of about what was added so far.
fn random(random: &mut ChaCha8Rng) -> Vec<Event> {
    let (keys, large) = (random.random_range(1..=2), random.random_bool(0.2));
    let stray = random.random_range(0.0..0.6);
    let (mut sums, mut ended) = ([0; 2], [false; 3]);
    let mut events = Vec::new();
    for _ in 0..random.random_range(2..8) {
        let (session, key) = (random.random_range(0..3_u64), random.random_range(0..keys));
        if ended[session as usize] {
            continue;
        }
        let what = match random.random_bool(0.5) {
            true => {
                let amount = if large { random.random_range(-1..4) } else { 1 };
                let certain = random.random_bool(0.9);
                ended[session as usize] = !certain;
                sums[key as usize] += amount;
                What::Add { amount, certain }
            }
            false if random.random_bool(stray) => {
                What::Read(sums[key as usize] + random.random_range(-2..3))
            }
            false => What::Read(sums[key as usize]),
        };
        events.push(Event { session, key, what });
    }
    events
}

#[test]
fn rungs_are_what_their_definitions_say() {
    let mut source = ChaCha8Rng::seed_from_u64(1);
    let mut tally = BTreeMap::<Rung, [usize; 3]>::new();
    for _ in 0..30_000 {
        let events = random(&mut source);
        let counters = Counters { events: events.clone(), operations: Vec::new() };
        for rung in &RUNGS[2..] {
            let expected = holds(*rung, &events);
            let answer = counters.ask(*rung);
            let counted = match answer {
                Answer::Unknown(_) => 2,
                Answer::Valid => 1,
                Answer::Invalid(_) => 0,
            };
            assert!(counted == 2 || counted == usize::from(expected), "{rung:?} of {events:?}");
            tally.entry(*rung).or_default()[counted] += 1;
        }
    }
    eprintln!("{tally:?}");
    assert!(tally.values().flatten().all(|times| *times > 1_000), "{tally:?}");
}

/// Lines of process, type, f and value, of one counter.
fn judged(lines: &[serde_json::Value]) -> Judgement {
    let mut text = json!({"splitbrain": 1, "vocabulary": "counter"}).to_string();
    for line in lines {
        let event = json!({"process": line[0], "type": line[1], "f": line[2], "value": line[3]});
        text += &format!("\n{event}");
    }
    let history = History::read(text.as_bytes()).expect("a history");
    judge(&history, &Options::default())
}

#[test]
fn a_session_that_misses_its_own_add_or_reads_less_and_their_twins() {
    let reads = |first: i64, second: i64| {
        judged(&[
            json!([0, "invoke", "add", 1]),
            json!([0, "ok", "add", 1]),
            json!([1, "invoke", "add", 1]),
            json!([1, "ok", "add", 1]),
            json!([0, "invoke", "read", null]),
            json!([0, "ok", "read", first]),
            json!([0, "invoke", "read", null]),
            json!([0, "ok", "read", second]),
        ])
    };
    let broken = |judgement: &Judgement| -> Vec<Rung> {
        let ladder = judgement.ladder.iter().filter(|(_, verdict)| verdict.is_invalid());
        ladder.map(|(rung, _)| *rung).collect()
    };
    let shown = |judgement: &Judgement, name: &str| {
        let shown = judgement.violations.iter().find(|one| one.name == name);
        shown.map(|shown| shown.witness.clone()).expect("shown")
    };
    let fine = reads(2, 2);
    assert_eq!(broken(&fine), []);
    assert_eq!(fine.ladder.keys().copied().collect::<Vec<_>>().len(), RUNGS.len());
    let stale = reads(1, 1);
    assert_eq!(broken(&stale), [Rung::Linearizable]);
    assert_eq!(stale.strongest, [Rung::Pram]);
    let missed = reads(0, 1);
    assert!(missed.ladder[&Rung::ReadYourWrites].is_invalid());
    assert!(missed.ladder[&Rung::MonotonicReads].is_valid());
    assert!(missed.ladder[&Rung::Sequential].is_invalid());
    assert_eq!(shown(&missed, "non-read-your-writes"), [0, 4]);
    let less = reads(2, 1);
    assert!(less.ladder[&Rung::MonotonicReads].is_invalid());
    assert!(less.ladder[&Rung::ReadYourWrites].is_valid());
    assert_eq!(shown(&less, "non-monotonic-reads"), [4, 6]);
    assert!(reads(2, 3).ladder[&Rung::ReadYourWrites].is_invalid());
}
