//! The ladder on whole histories: operations that may have happened, sessions that move between nodes,
//! values that were written twice, and the order of the rungs over everything that there is.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::files;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use splitbrain_checker::history::{Event, History, Kind, Operation, Process};
use splitbrain_checker::{Judgement, Options, Rung, Verdict, judge};

/// Direct implications, once more by hand.
const IMPLIES: [(Rung, Rung); 10] = [
    (Rung::Linearizable, Rung::Sequential),
    (Rung::Sequential, Rung::Causal),
    (Rung::Sequential, Rung::CausalConvergence),
    (Rung::Causal, Rung::WeakCausal),
    (Rung::CausalConvergence, Rung::WeakCausal),
    (Rung::Causal, Rung::Pram),
    (Rung::Causal, Rung::WritesFollowReads),
    (Rung::Pram, Rung::ReadYourWrites),
    (Rung::Pram, Rung::MonotonicReads),
    (Rung::Pram, Rung::MonotonicWrites),
];

/// Lines of `[process, type, f, value]`, at node n1, n2, ... where a fifth column says so.
fn history(lines: &[Value]) -> History {
    let event = |(line, at): (&Value, u64)| {
        let kind = serde_json::from_value(line[1].clone()).expect("a type");
        let process = Process::Client(line[0].as_u64().expect("a process"));
        let mut event = Event::new(at, at, kind, process, line[2].as_str().expect("f").to_owned());
        event.value = line[3].clone();
        event.node = line[4].as_str().map(|node| node.to_owned().into());
        event
    };
    History::from_events(None, lines.iter().zip(0..).map(event).collect::<Vec<_>>())
        .expect("well-formed")
}

fn judged(lines: &[Value]) -> Judgement {
    judge(&history(lines), &Options::default())
}

/// Nothing holds without what it implies; what is broken is shown, and the strongest is maximal.
fn in_order(judgement: &Judgement) {
    let ladder = &judgement.ladder;
    for (stronger, weaker) in IMPLIES {
        let (Some(strong), Some(weak)) = (ladder.get(&stronger), ladder.get(&weaker)) else {
            continue;
        };
        assert!(!strong.is_valid() || weak.is_valid(), "{stronger:?} without {weaker:?}");
        assert!(!weak.is_invalid() || strong.is_invalid(), "{stronger:?} in spite of {weaker:?}");
    }
    for rung in &judgement.weakest_ruled_out {
        let shown = judgement.violations.iter().any(|shown| shown.rules_out.contains(rung));
        assert!(shown, "{rung:?} is ruled out by nothing: {:?}", judgement.violations);
    }
    assert!(judgement.strongest.iter().all(|rung| ladder[rung].is_valid()));
}

/// A history of unique writes of three keys by clients that ask any node, some of which never learn
/// what became of an operation.
fn random(random: &mut ChaCha8Rng) -> Vec<Event> {
    let clients = random.random_range(2..=4_u64);
    let mut events: Vec<Event> = Vec::new();
    let mut written: Vec<(usize, Value)> = Vec::new();
    let mut processes: Vec<u64> = (0..clients).collect();
    let stray = random.random_range(1..=4_usize);
    for at in 0..random.random_range(4..16_u64) {
        let client = random.random_range(0..clients) as usize;
        let key = random.random_range(0..3_usize);
        let mut event = |kind, f: &str, value: Value| {
            let index = events.len() as u64;
            let process = Process::Client(processes[client]);
            let mut event = Event::new(index, index, kind, process, f.to_owned());
            event.key = Some(["x", "y", "z"][key].to_owned());
            event.node = Some(format!("n{}", at % 3).into());
            event.value = value;
            events.push(event);
        };
        let of_key: Vec<&Value> =
            written.iter().rev().filter(|(on, _)| *on == key).map(|(_, value)| value).collect();
        let back = random.random_range(0..stray);
        let seen = of_key.get(back).map_or(Value::Null, |value| (*value).clone());
        let kind = match random.random_range(0..8) {
            0 => Kind::Info,
            1 => Kind::Fail,
            _ => Kind::Ok,
        };
        match random.random_range(0..8) {
            0..4 => {
                event(Kind::Invoke, "read", Value::Null);
                event(kind, "read", if kind == Kind::Ok { seen } else { Value::Null });
            }
            4..7 => {
                event(Kind::Invoke, "write", json!(at));
                event(kind, "write", json!(at));
                written.push((key, json!(at)));
            }
            _ => {
                event(Kind::Invoke, "cas", json!([seen, at]));
                event(kind, "cas", json!([seen, at]));
                written.push((key, json!(at)));
            }
        }
        if kind == Kind::Info {
            processes[client] += clients;
        }
    }
    events
}

fn of(events: &[Event]) -> History {
    History::from_events(None, events.to_vec()).expect("well-formed")
}

/// The operations of a witness and nothing else.
fn alone(history: &History, events: &[Event], witness: &[u64]) -> History {
    let is_in = |operation: &&Operation| witness.contains(&operation.invoked.index);
    let kept: BTreeSet<u64> = history
        .operations()
        .iter()
        .filter(is_in)
        .flat_map(|one| [Some(one.invoked.index), one.completed().map(|at| at.index)])
        .flatten()
        .collect();
    let kept = events.iter().filter(|event| kept.contains(&event.index)).cloned();
    History::from_events(None, kept.collect::<Vec<_>>()).expect("well-formed")
}

#[test]
fn witnesses_are_violations_by_themselves_and_minimal() {
    let mut source = ChaCha8Rng::seed_from_u64(1);
    let mut shown = BTreeMap::<Rung, usize>::new();
    for _ in 0..3_000 {
        let events = random(&mut source);
        let history = of(&events);
        let judgement = judge(&history, &Options::default());
        in_order(&judgement);
        for violation in judgement.violations.iter().filter(|shown| shown.shape.is_some()) {
            assert!(violation.because.len() >= 2, "{violation:?}");
            let rungs = &violation.rules_out;
            assert!(rungs.len() > 1, "{violation:?}");
            let again = judge(&alone(&history, &events, &violation.witness), &Options::default());
            for rung in rungs {
                *shown.entry(*rung).or_default() += 1;
                if *rung != Rung::Linearizable {
                    assert!(again.ladder[rung].is_invalid(), "{rung:?}: {violation:?} {events:?}");
                }
            }
            let weakest = *rungs.last().expect("a rung");
            for left_out in &violation.witness {
                let fewer: Vec<u64> =
                    violation.witness.iter().copied().filter(|one| one != left_out).collect();
                let fewer = judge(&alone(&history, &events, &fewer), &Options::default());
                // What read from an operation that is left out has read a value from nowhere.
                let thin_air = fewer.violations.iter().any(|one| {
                    matches!(
                        one.name,
                        "phantom-read" | "aborted-read" | "read-from-the-future" | "thin-air-read"
                    )
                });
                assert!(
                    thin_air || rungs.iter().any(|rung| !fewer.ladder[rung].is_invalid()),
                    "{weakest:?} without {left_out}: {violation:?}"
                );
            }
        }
    }
    assert!(shown.len() == 10 && shown.values().all(|times| *times >= 20), "{shown:?}");
}

/// Turning an answer into an `info` proves no more.
#[test]
fn a_lost_answer_breaks_no_rung() {
    let mut source = ChaCha8Rng::seed_from_u64(2);
    let mut lost = 0;
    for _ in 0..2_000 {
        let mut events = random(&mut source);
        let before = judge(&of(&events), &Options::default());
        let completed = (0..events.len()).filter(|at| events[*at].kind == Kind::Ok);
        let completed: Vec<usize> = completed.collect();
        if completed.is_empty() {
            continue;
        }
        let at = completed[source.random_range(0..completed.len())];
        events[at].kind = Kind::Info;
        let process = events[at].process;
        for event in events[at + 1..].iter_mut().filter(|event| event.process == process) {
            event.process = Process::Client(1_000);
        }
        let after = judge(&of(&events), &Options::default());
        for (rung, verdict) in before.ladder.iter().filter(|(_, verdict)| verdict.is_valid()) {
            lost += 1;
            let now = &after.ladder[rung];
            let vacuous = now.reason().is_some_and(|reason| reason.starts_with("vacuous"));
            assert!(now.is_valid() || vacuous, "{rung:?} was {verdict:?}: {now:?} {events:?}");
        }
    }
    assert!(lost > 1_000, "{lost}");
}

#[test]
fn a_session_that_moves_to_a_node_that_lags() {
    let moves = |second: Value| {
        judged(&[
            json!([0, "invoke", "write", 1, "n1"]),
            json!([0, "ok", "write", 1]),
            json!([1, "invoke", "read", null, "n1"]),
            json!([1, "ok", "read", 1]),
            json!([1, "invoke", "read", null, "n2"]),
            json!([1, "ok", "read", second]),
        ])
    };
    let lagged = moves(Value::Null);
    assert!(lagged.ladder[&Rung::MonotonicReads].is_invalid());
    assert_eq!(lagged.strongest, [Rung::ReadYourWrites]);
    let shown =
        lagged.violations.iter().find(|one| one.name == "non-monotonic-reads").expect("shown");
    assert_eq!((shown.shape, shown.witness.as_slice()), (Some("WriteSOInitRead"), &[0, 2, 4][..]));
    assert_eq!(moves(json!(1)).strongest, [Rung::Linearizable]);
}

#[test]
fn what_may_have_happened_counts_if_it_was_seen() {
    let seen_or_not = |seen: Value| {
        judged(&[
            json!([0, "invoke", "write", 1]),
            json!([0, "info", "write", 1]),
            json!([1, "invoke", "read", null]),
            json!([1, "ok", "read", seen]),
            json!([1, "invoke", "read", null]),
            json!([1, "ok", "read", null]),
        ])
    };
    assert!(seen_or_not(json!(1)).ladder[&Rung::MonotonicReads].is_invalid());
    assert_eq!(seen_or_not(Value::Null).strongest, [Rung::Linearizable]);
}

#[test]
fn a_value_from_nowhere_breaks_every_rung() {
    let lines = [
        json!([0, "invoke", "write", 1]),
        json!([0, "fail", "write", 1]),
        json!([1, "invoke", "read", null]),
        json!([1, "ok", "read", 1]),
    ];
    let judgement = judged(&lines);
    in_order(&judgement);
    let open = judgement.ladder.iter().filter(|(_, verdict)| !verdict.is_invalid());
    assert_eq!(open.map(|(rung, _)| *rung).collect::<Vec<_>>(), [Rung::Converged]);
    assert_eq!(judgement.violations[0].name, "aborted-read");
}

#[test]
fn a_value_that_was_written_twice_leaves_open_what_is_not_broken_without_it() {
    let lines = [
        json!([0, "invoke", "write", 1]),
        json!([0, "ok", "write", 1]),
        json!([0, "invoke", "write", 2]),
        json!([0, "ok", "write", 2]),
        json!([0, "invoke", "write", 1]),
        json!([0, "ok", "write", 1]),
        json!([1, "invoke", "read", null]),
        json!([1, "ok", "read", 2]),
    ];
    let judgement = judged(&lines);
    assert!(judgement.ladder[&Rung::Linearizable].is_invalid());
    assert!(judgement.ladder[&Rung::Pram].is_valid(), "nobody read 1");
    let mut read = lines.to_vec();
    read.extend([json!([1, "invoke", "read", null]), json!([1, "ok", "read", 1])]);
    let reason = "it is not known which write of 1 was read: there are several";
    assert_eq!(judged(&read).ladder[&Rung::Pram], Verdict::unknown(reason));
    assert_eq!(judged(&read).ladder_reasons[&Rung::Pram], reason);
    read.extend([json!([1, "invoke", "read", null]), json!([1, "ok", "read", null])]);
    assert!(judged(&read).ladder[&Rung::Pram].is_invalid());
}

#[test]
fn the_order_of_the_rungs_holds_over_the_corpora() {
    let mut paths = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"));
    match std::env::var_os("SPLITBRAIN_CORPORA") {
        Some(folder) => paths.extend(files(Path::new(&folder))),
        None => {
            eprintln!("SKIPPED: SPLITBRAIN_CORPORA is not set, so only our own corpus was checked");
        }
    }
    let mut climbed = 0;
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let found = History::open(&path).or_else(|_| History::read(text.join("\n").as_bytes()));
        if let Ok(history) = found {
            let judgement = judge(&history, &Options::default());
            in_order(&judgement);
            climbed += usize::from(judgement.ladder.len() > 1);
        }
    }
    assert!(climbed > 30, "{climbed}");
}
