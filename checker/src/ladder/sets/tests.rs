//! Every rung of sets against its definition taken literally, on random small histories, and by hand.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::super::facts::Answer;
use super::super::rung::Rung;
use super::super::sessions::{Access, INITIAL, Kind, Sessions};
use super::decide_sets;
use super::material::{Sets, snapshots};
use crate::history::History;
use crate::verdict::Verdict;
use crate::{Options, judge};

/// What a session did with a set.
#[derive(Clone, Debug)]
struct Op {
    session: u32,
    key: u32,
    /// The adds, by position, that a read shows; `None` for an add.
    shows: Option<Vec<usize>>,
}

impl Op {
    fn adds(&self) -> bool {
        self.shows.is_none()
    }
}

fn sets(ops: &[Op]) -> Sets<'static> {
    let mut accesses = Vec::new();
    for (op, operation) in ops.iter().zip(0..) {
        let access = |kind| Access { session: op.session, key: op.key, operation, kind };
        match &op.shows {
            None => accesses.push(access(Kind::Write { tentative: false })),
            Some(none) if none.is_empty() => accesses.push(access(Kind::Read { from: INITIAL })),
            Some(some) => {
                accesses.extend(some.iter().map(|add| access(Kind::Read { from: *add as u32 })));
            }
        }
    }
    let sessions = Sessions::new(accesses);
    let snapshots = snapshots(&sessions);
    Sets { sessions, operations: Vec::new(), snapshots, thin_air: None, doubt: None }
}

/// The definition, by trying all orders.
fn holds(rung: Rung, ops: &[Op]) -> bool {
    let so = |a: usize, b: usize| ops[a].session == ops[b].session && a < b;
    let both_add = |a: usize, b: usize| so(a, b) && ops[a].adds() && ops[b].adds();
    let same_set = |a: usize, b: usize| both_add(a, b) && ops[a].key == ops[b].key;
    let reads = |a: usize, b: usize| so(a, b) && !ops[a].adds() && !ops[b].adds();
    let shows = |read: usize, add: usize| ops[read].shows.iter().flatten().any(|one| *one == add);
    let mut causal: Vec<Vec<bool>> =
        (0..ops.len()).map(|a| (0..ops.len()).map(|b| so(a, b) || shows(b, a)).collect()).collect();
    for via in 0..ops.len() {
        for a in 0..ops.len() {
            for b in 0..ops.len() {
                causal[a][b] |= causal[a][via] && causal[via][b];
            }
        }
    }
    let each = |keeps: &dyn Fn(usize, usize, u32) -> bool| {
        (0..3).all(|reader| {
            let mut left: Vec<usize> =
                (0..ops.len()).filter(|at| ops[*at].adds() || ops[*at].session == reader).collect();
            serializes(ops, &mut left, &|a, b| keeps(a, b, reader), &mut Vec::new())
        })
    };
    match rung {
        Rung::ReadYourWrites => each(&|a, b, reader| {
            let own = ops[a].session == reader && ops[a].key == ops[b].key;
            same_set(a, b) || so(a, b) && own && ops[a].adds() && !ops[b].adds()
        }),
        Rung::MonotonicReads => each(&|a, b, _| same_set(a, b) || reads(a, b)),
        Rung::MonotonicWrites => each(&|a, b, _| both_add(a, b) || reads(a, b)),
        Rung::WritesFollowReads => each(&|a, b, _| {
            let follows = || (0..ops.len()).any(|read| shows(read, a) && so(read, b));
            same_set(a, b) || reads(a, b) || ops[a].adds() && ops[b].adds() && follows()
        }),
        Rung::Pram => each(&|a, b, _| so(a, b)),
        Rung::Causal => each(&|a, b, _| causal[a][b]),
        Rung::WeakCausal | Rung::CausalConvergence => (0..ops.len()).all(|read| {
            let past = |add: &usize| {
                ops[*add].adds() && ops[*add].key == ops[read].key && causal[*add][read]
            };
            let Some(shown) = &ops[read].shows else { return true };
            !causal[read][read] && (0..ops.len()).filter(past).eq(shown.iter().copied())
        }),
        Rung::Sequential => {
            serializes(ops, &mut (0..ops.len()).collect(), &|a, b| so(a, b), &mut Vec::new())
        }
        _ => panic!("{rung:?} is decided elsewhere"),
    }
}

/// Whether what is left can follow what is done, in an order that keeps the pairs and explains each read.
fn serializes(
    ops: &[Op],
    left: &mut Vec<usize>,
    keeps: &dyn Fn(usize, usize) -> bool,
    done: &mut Vec<usize>,
) -> bool {
    left.is_empty()
        || (0..left.len()).any(|at| {
            let op = left[at];
            if left.iter().any(|other| keeps(*other, op)) {
                return false;
            }
            if let Some(shown) = &ops[op].shows {
                let there = done.iter().filter(|one| ops[**one].key == ops[op].key).count();
                if there != shown.len() || !shown.iter().all(|one| done.contains(one)) {
                    return false;
                }
            }
            left.remove(at);
            done.extend(ops[op].adds().then_some(op));
            let serializes = serializes(ops, left, keeps, done);
            if ops[op].adds() {
                done.pop();
            }
            left.insert(at, op);
            serializes
        })
}

/// A read shows each add of its set with a chance of its own, or most of them.
fn random(source: &mut ChaCha8Rng) -> Vec<Op> {
    let (keys, stray) = (source.random_range(1..=2), source.random_range(0.0..0.5));
    let mut ops: Vec<Op> = (0..source.random_range(2..8))
        .map(|_| Op {
            session: source.random_range(0..3),
            key: source.random_range(0..keys),
            shows: source.random_bool(0.5).then(Vec::new),
        })
        .collect();
    for read in 0..ops.len() {
        if ops[read].adds() {
            continue;
        }
        let of_key = |add: &usize| ops[*add].adds() && ops[*add].key == ops[read].key;
        let shown = (0..ops.len()).filter(of_key).filter(|add| {
            let is_there = *add < read;
            is_there != source.random_bool(stray)
        });
        ops[read].shows = Some(shown.collect());
    }
    ops
}

#[test]
fn rungs_are_what_their_definitions_say() {
    let mut source = ChaCha8Rng::seed_from_u64(1);
    let mut tally = std::collections::BTreeMap::<Rung, [usize; 2]>::new();
    for _ in 0..40_000 {
        let ops = random(&mut source);
        // None is settled by another: all are asked.
        let found = decide_sets(&sets(&ops), &Verdict::unknown("not asked for"));
        for one in found.iter().filter(|one| one.rung != Rung::Linearizable) {
            let expected = holds(one.rung, &ops);
            assert_eq!(one.answer == Answer::Valid, expected, "{:?} of {ops:?}", one.rung);
            if let Answer::Invalid(conflict) = &one.answer {
                assert!(!conflict.nodes.is_empty(), "{:?} of {ops:?}", one.rung);
            }
            tally.entry(one.rung).or_default()[usize::from(expected)] += 1;
        }
    }
    assert_eq!(tally.len(), 9);
    assert!(tally.values().flatten().all(|times| *times > 1_000), "{tally:?}");
}

/// Lines of process, type, f and value, of one set.
#[track_caller]
fn judged(lines: &[serde_json::Value]) -> crate::Judgement {
    let mut text = json!({"splitbrain": 1, "vocabulary": "set"}).to_string();
    for line in lines {
        let event = json!({"process": line[0], "type": line[1], "f": line[2], "value": line[3]});
        text += &format!("\n{event}");
    }
    judge(&History::read(text.as_bytes()).expect("a history"), &Options::default())
}

#[test]
fn a_session_that_misses_its_own_element_and_its_twin() {
    let after = |second: serde_json::Value| {
        judged(&[
            json!([0, "invoke", "add", 1]),
            json!([0, "ok", "add", 1]),
            json!([0, "invoke", "read", null]),
            json!([0, "ok", "read", second]),
        ])
    };
    let broken = after(json!([]));
    assert_eq!(broken.weakest_ruled_out, [Rung::WeakCausal, Rung::ReadYourWrites]);
    let shown = broken.violations.iter().find(|one| one.name == "non-read-your-writes");
    let shown = shown.expect("shown");
    assert_eq!(shown.witness, [0, 2]);
    assert_eq!(
        shown.because,
        [
            "process 0's add of 1 (event 0) came before process 0's read (event 2) in its session",
            "but process 0's read (event 2) does not show what process 0's add of 1 (event 0) added",
        ]
    );
    assert_eq!(after(json!([1])).strongest, [Rung::Linearizable]);
}

#[test]
fn what_may_have_been_added_counts_if_it_was_seen_and_twice_is_not_known() {
    let with = |seen: serde_json::Value, more: &[serde_json::Value]| {
        let lines = [
            json!([0, "invoke", "add", 1]),
            json!([0, "info", "add", 1]),
            json!([1, "invoke", "read", null]),
            json!([1, "ok", "read", seen]),
            json!([1, "invoke", "read", null]),
            json!([1, "ok", "read", []]),
        ];
        judged(&[&lines[..], more].concat())
    };
    assert!(with(json!([1]), &[]).ladder[&Rung::MonotonicReads].is_invalid());
    assert!(with(json!([]), &[]).ladder[&Rung::MonotonicReads].is_valid());
    let twice = [json!([2, "invoke", "add", 1]), json!([2, "ok", "add", 1])];
    let judgement = with(json!([1]), &twice);
    assert_eq!(
        judgement.ladder_reasons[&Rung::MonotonicReads],
        "it is not known which add of 1 was seen: there are several"
    );
    let nowhere = with(json!([7]), &[]);
    assert_eq!(nowhere.violations.last().expect("shown").name, "thin-air-read");
    assert!(nowhere.ladder.values().all(Verdict::is_invalid));
}
