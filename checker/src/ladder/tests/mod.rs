//! Every rung against its definition taken literally, on all small histories and on random ones.

mod brute_force;
mod glances;
mod litmus;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::facts::{Answer, Facts};
use super::rung::Rung;
use super::rungs::ALL;
use super::sessions::{Access, INITIAL, Kind, Sessions};
use super::{implies, rungs_of_registers};

/// What the fast procedures say, each asked by itself.
fn fast(sessions: &Sessions) -> Vec<(Rung, bool)> {
    let facts = Facts::of(sessions);
    let asked = ALL.iter().filter(|rung| !is_elsewhere(rung.rung()));
    let answer = |rung: Rung, answer: Answer| match answer {
        Answer::Valid => (rung, true),
        Answer::Invalid(conflict) => {
            assert!(!conflict.nodes.is_empty(), "{rung:?} is broken by nothing");
            (rung, false)
        }
        Answer::Unknown(reason) => panic!("{rung:?}: {reason}"),
    };
    asked.map(|guarantee| answer(guarantee.rung(), guarantee.decide(&facts))).collect()
}

fn is_elsewhere(rung: Rung) -> bool {
    matches!(rung, Rung::Linearizable | Rung::Converged)
}

/// The fast answers are those of the definitions, no rung holds without what it implies, and what is
/// broken can be argued; says which rungs hold.
fn check(accesses: &[Access]) -> Vec<(Rung, bool)> {
    let sessions = Sessions::new(accesses.to_vec());
    let found = fast(&sessions);
    for (rung, holds) in &found {
        assert_eq!(*holds, brute_force::holds(*rung, &sessions), "{rung:?}: {accesses:#?}");
        let guarantee = ALL.iter().find(|one| one.rung() == *rung).expect("listed");
        let argument = guarantee.argue(&sessions);
        assert_eq!(argument.is_none(), *holds, "{rung:?}: {argument:?} of {accesses:#?}");
        if *holds {
            let implied = implies(*rung);
            let broken = found.iter().find(|(one, holds)| implied.contains(one) && !holds);
            assert_eq!(broken, None, "{rung:?} holds: {accesses:#?}");
        }
    }
    found
}

/// Counts how often each rung held and broke.
#[derive(Default)]
struct Tally(std::collections::BTreeMap<Rung, [usize; 2]>);

impl Tally {
    fn add(&mut self, found: Vec<(Rung, bool)>) {
        for (rung, holds) in found {
            self.0.entry(rung).or_default()[usize::from(holds)] += 1;
        }
    }

    fn each_at_least(&self, least: usize) {
        for (rung, [broken, held]) in &self.0 {
            assert!(*broken >= least && *held >= least, "{rung:?}: {broken} broken, {held} held");
        }
    }
}

/// The operations of a history before it is decided what the reads read.
#[derive(Clone, Copy)]
struct Shape {
    session: u32,
    key: u32,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Read,
    Write,
    Cas,
}

/// Fills in what each read reads: `choose` picks one of so many sources.
fn fill(shapes: &[Shape], mut choose: impl FnMut(usize) -> usize) -> Vec<Access> {
    let mut accesses = Vec::new();
    for (shape, operation) in shapes.iter().zip(0_u32..) {
        let Shape { session, key, what } = *shape;
        let access = |kind| Access { session, key, operation, kind };
        if what != What::Write {
            let sources = shapes.iter().zip(0_u32..);
            let sources = sources
                .filter(|(one, at)| one.key == key && one.what != What::Read && *at != operation);
            let mut sources: Vec<u32> = sources.map(|(_, at)| at).collect();
            sources.push(INITIAL);
            let from = sources[choose(sources.len())];
            accesses.push(access(Kind::Read { from }));
        }
        if what != What::Read {
            accesses.push(access(Kind::Write { tentative: false }));
        }
    }
    accesses
}

#[test]
fn all_histories_of_four_operations() {
    const OPERATIONS: u32 = 4;
    let mut tally = Tally::default();
    for number in 0..12_u32.pow(OPERATIONS) {
        let digits = (0..OPERATIONS).map(|at| number / 12_u32.pow(at) % 12);
        let shapes: Vec<Shape> = digits
            .map(|digit| Shape {
                session: digit % 3,
                key: digit / 3 % 2,
                what: if digit / 6 == 0 { What::Read } else { What::Write },
            })
            .collect();
        // Sessions and keys in the order of their first appearance stand for all others.
        let in_order = |of: fn(&Shape) -> u32| {
            shapes
                .iter()
                .try_fold(0, |next, shape| (of(shape) <= next).then_some(next.max(of(shape) + 1)))
        };
        if in_order(|shape| shape.session).is_none() || in_order(|shape| shape.key).is_none() {
            continue;
        }
        // Counts through all choices like a number whose digits have different bases.
        let mut choices = vec![0; OPERATIONS as usize];
        loop {
            let (mut at, mut bases) = (0, Vec::new());
            let accesses = fill(&shapes, |sources| {
                bases.push(sources);
                at += 1;
                choices[at - 1]
            });
            tally.add(check(&accesses));
            let Some(digit) = (0..bases.len()).find(|at| choices[*at] + 1 < bases[*at]) else {
                break;
            };
            choices[digit] += 1;
            choices[..digit].fill(0);
        }
    }
    tally.each_at_least(20);
}

/// A random history; `stray` is how often a read reads just anything.
fn random(random: &mut ChaCha8Rng, operations: usize, keys: u32, stray: f64) -> Vec<Access> {
    let sessions = random.random_range(1..=4);
    let shapes: Vec<Shape> = (0..operations)
        .map(|_| Shape {
            session: random.random_range(0..sessions),
            key: random.random_range(0..keys),
            what: match random.random_range(0..12) {
                0 => What::Cas,
                1..=5 => What::Write,
                _ => What::Read,
            },
        })
        .collect();
    fill(&shapes, |sources| match random.random_bool(stray) {
        true => random.random_range(0..sources),
        // Near to the last: most histories would break everything else.
        false => sources.saturating_sub(1 + random.random_range(1..=2)),
    })
}

fn check_random(seed: u64, histories: usize, operations: std::ops::Range<usize>) {
    let mut source = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for _ in 0..histories {
        let (operations, keys) =
            (source.random_range(operations.clone()), source.random_range(1..=3));
        let stray = source.random_range(0.0..1.0);
        tally.add(check(&random(&mut source, operations, keys, stray)));
    }
    tally.each_at_least(histories / 100);
}

#[test]
fn random_histories() {
    check_random(1, 100_000, 3..7);
}

#[test]
fn longer_random_histories() {
    check_random(2, 2_000, 7..11);
}

#[test]
fn each_rung_has_a_file_and_each_file_a_line() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ladder/rungs");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "mod.rs")
        .collect();
    files.sort();
    let mut listed: Vec<String> =
        rungs_of_registers().map(|rung| rung.name().replace('-', "_") + ".rs").collect();
    listed.sort();
    assert_eq!(files, listed);
}

#[test]
fn rungs_come_before_those_that_they_imply() {
    for (at, rung) in ALL.iter().enumerate() {
        let later: Vec<Rung> = ALL[at + 1..].iter().map(|later| later.rung()).collect();
        assert!(rung.implies().iter().all(|implied| later.contains(implied)), "{:?}", rung.rung());
        assert_eq!(serde_json::to_value(rung.rung()).expect("JSON"), rung.rung().name());
    }
}
