//! Histories of a store that does one transaction at a time for clients that overlap, of sizes at which no
//! order is guessed at once, and twins in which one read is wrong.

use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cases::judged;
use super::replay::{Keeps, is_serializable, is_snapshot_isolated};
use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;
use crate::judge;
use crate::ladder::Rung;
use crate::options::Options;
use crate::verdict::Verdict;

#[derive(Clone, Copy, Debug)]
struct Size {
    transactions: usize,
    clients: usize,
    keys: u32,
}

const SMALL: Size = Size { transactions: 14, clients: 4, keys: 3 };
const SIZES: [Size; 6] = [
    Size { transactions: 20, clients: 10, keys: 5 },
    Size { transactions: 30, clients: 3, keys: 10 },
    Size { transactions: 100, clients: 10, keys: 5 },
    Size { transactions: 100, clients: 10, keys: 10 },
    Size { transactions: 300, clients: 5, keys: 10 },
    Size { transactions: 300, clients: 10, keys: 5 },
];

/// What a store answers that does each transaction at some moment between its ends, or as if it had been done
/// so much before it began, but after those before it in its session. Of some nobody learns whether they were
/// done; their clients go on under other names.
fn served(rng: &mut impl Rng, size: Size, lag: u64) -> Spec {
    // When each client is free, its name, and when its last transaction was done.
    let mut next: Vec<(u64, u64, u64)> =
        (0..size.clients as u64).map(|name| (0, name, 0)).collect();
    let mut names = size.clients as u64;
    let mut all: Vec<(u64, [u64; 2], Transaction)> = Vec::new();
    for _ in 0..size.transactions {
        let (free, name, last) = next.iter_mut().min().expect("clients");
        let begins = *free + rng.random_range(1..20);
        let ends = begins + rng.random_range(2..40);
        let is_done = rng.random_bool(0.97);
        let accesses = (0..rng.random_range(1..=4)).map(|_| {
            let key = rng.random_range(0..size.keys);
            if rng.random_bool(0.5) { Access::Write(key, 0) } else { Access::Read(key, None) }
        });
        let accesses = accesses.collect();
        let fate = if is_done { Completion::Ok } else { Completion::Info };
        let one = Transaction { session: *name, fate, begins: 0, ends: 0, accesses };
        *last = rng.random_range((*last + 1).max(begins.saturating_sub(lag)).min(begins)..=ends);
        all.push((*last, [begins, ends], one));
        *free = ends;
        if !is_done {
            (*name, names) = (names, names + 1);
        }
    }
    all.sort_by_key(|(done, ..)| *done);
    let mut held = vec![None; size.keys as usize];
    let mut last_value = 0;
    for access in all.iter_mut().flat_map(|(.., one)| &mut one.accesses) {
        match access {
            Access::Write(key, value) => {
                last_value += 1;
                *value = last_value;
                held[*key as usize] = Some(last_value);
            }
            Access::Read(key, value) => *value = held[*key as usize],
            _ => {}
        }
    }
    // Positions that no two events share; what began together ends later.
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (at, (_, [begins, ends], _)) in all.iter().enumerate() {
        events.extend([(*begins, false, at), (*ends, true, at)]);
    }
    events.sort_unstable();
    for (place, (_, is_end, at)) in (0..).zip(events) {
        let one = &mut all[at].2;
        *(if is_end { &mut one.ends } else { &mut one.begins }) = place;
    }
    let mut all: Vec<Transaction> = all.into_iter().map(|(.., one)| one).collect();
    all.sort_by_key(|one| one.begins);
    Spec(all)
}

/// Makes some answered read find another version of its key.
fn mistaken(rng: &mut impl Rng, spec: &mut Spec) {
    let written: Vec<(u32, u32)> =
        spec.0.iter().flat_map(|one| &one.accesses).filter_map(Access::written).collect();
    let answered = spec.0.iter_mut().filter(|one| one.fate == Completion::Ok);
    let mut reads: Vec<_> = answered.flat_map(|one| &mut one.accesses).collect();
    let at = rng.random_range(0..reads.len());
    if let Access::Read(key, value) = &mut *reads[at] {
        let others = written.iter().filter(|(of, other)| of == key && Some(*other) != *value);
        let others: Vec<u32> = others.map(|(_, other)| *other).collect();
        *value = others.choose(rng).copied().or(*value);
    }
}

/// Makes a read find what was certainly overwritten before it began, if there is one that can.
fn made_stale(spec: &mut Spec) -> bool {
    let all = spec.0.clone();
    let wrote = |key: u32| {
        let ok = all.iter().filter(|one| one.fate == Completion::Ok);
        let written =
            ok.flat_map(|one| one.accesses.iter().filter_map(move |a| Some((one, a.written()?))));
        written.filter(move |(_, (of, _))| *of == key)
    };
    for one in spec.0.iter_mut().rev().filter(|one| one.fate == Completion::Ok) {
        let writes: Vec<u32> = one.accesses.iter().filter_map(|a| Some(a.written()?.0)).collect();
        let begins = one.begins;
        for access in &mut one.accesses {
            let Access::Read(key, value) = access else { continue };
            let stale = wrote(*key).find(|(old, _)| {
                wrote(*key).any(|(new, _)| old.ends < new.begins && new.ends < begins)
            });
            if let Some((_, (_, stale))) = stale.filter(|_| !writes.contains(key)) {
                *value = Some(stale);
                return true;
            }
        }
    }
    false
}

#[test]
fn what_a_store_served_one_by_one_is_strict_serializable() {
    for (seed, size) in (0..).zip(SIZES) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for round in 0..40 {
            let ladder = served(&mut rng, size, 0).ladder();
            for (level, verdict) in ladder {
                assert_eq!(verdict, Verdict::Valid, "{level:?} of round {round} of {size:?}");
            }
        }
    }
}

#[test]
fn what_it_served_as_if_it_had_been_earlier_keeps_sessions() {
    let mut not_strict = 0;
    for (seed, size) in (50..).zip(SIZES) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for round in 0..20 {
            let ladder = served(&mut rng, size, [20, 100, 1_000][round % 3]).ladder();
            let session = &ladder[&Rung::StrongSessionSerializable];
            assert_eq!(*session, Verdict::Valid, "round {round} of {size:?}");
            not_strict += u32::from(ladder[&Rung::StrictSerializable].is_invalid());
        }
    }
    assert!(not_strict > 60, "{not_strict}");
}

#[test]
fn with_a_read_of_what_was_overwritten_it_never_is() {
    let mut count = 0;
    for (seed, size) in (100..).zip(&SIZES[..4]) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..10 {
            let mut spec = served(&mut rng, *size, 0);
            if made_stale(&mut spec) {
                count += 1;
                let ladder = spec.ladder();
                assert_eq!(ladder[&Rung::StrictSerializable], Verdict::Invalid, "{size:?}");
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn with_another_read_it_is_what_all_orders_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut valid, mut invalid) = (0, 0);
    for _ in 0..300 {
        let mut spec = served(&mut rng, SMALL, 0);
        mistaken(&mut rng, &mut spec);
        let ladder = spec.ladder();
        for (level, keeps) in [
            (Rung::StrictSerializable, Keeps::RealTime),
            (Rung::StrongSessionSerializable, Keeps::Sessions),
        ] {
            let holds = is_serializable(&spec, keeps);
            let expected = if holds { Verdict::Valid } else { Verdict::Invalid };
            assert_eq!(ladder[&level], expected, "{level:?} {:#?}", spec.0);
            *(if holds { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert!(valid > 50 && invalid > 50, "{valid} valid, {invalid} invalid");
}

#[test]
fn an_order_is_found_that_none_of_the_first_guesses_is() {
    let judgement = judged(
        "2 0..2 w 0 1 w 2 2 g 1 -
         5 1..5 g 3 - w 2 6
         0 3..7 w 2 3 g 2 3 g 1 - g 2 3
         7 4..6 w 1 7 w 1 8 g 0 1 g 2 6",
    );
    assert_eq!(judgement.strongest, [Rung::StrictSerializable]);
    // Twin: the last one did not see what the first one had written.
    let judgement = judged(
        "2 0..2 w 0 1 w 2 2 g 1 -
         5 1..5 g 3 - w 2 6
         0 3..7 w 2 3 g 2 3 g 1 - g 2 3
         7 4..6 w 1 7 w 1 8 g 0 - g 2 6",
    );
    assert!(judgement.ladder[&Rung::StrictSerializable].is_invalid());
}

/// Some transactions without what they read of the others.
fn part(spec: &Spec, is_part: impl Fn(&Transaction) -> bool) -> Spec {
    let mut part: Vec<Transaction> = spec.0.iter().filter(|one| is_part(one)).cloned().collect();
    let written: Vec<(u32, u32)> =
        part.iter().flat_map(|one| &one.accesses).filter_map(Access::written).collect();
    for one in &mut part {
        one.accesses.retain(|access| match access {
            Access::Read(key, Some(value)) => written.contains(&(*key, *value)),
            _ => true,
        });
    }
    Spec(part)
}

#[test]
fn what_no_order_explains_is_shown_by_a_few() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut sizes = Vec::new();
    for _ in 0..100 {
        let mut spec = served(&mut rng, Size { transactions: 60, clients: 8, keys: 4 }, 0);
        mistaken(&mut rng, &mut spec);
        let judgement = judge(&spec.history(), &Options::default());
        for violation in &judgement.violations {
            let of_snapshots = violation.name == "no-snapshots";
            let weakest = match violation.name {
                "unserializable" => [Rung::RepeatableRead, Rung::StrongSessionSerializable],
                "no-snapshots" => [Rung::SnapshotIsolation, Rung::StrongSessionSnapshotIsolation],
                _ => continue,
            };
            let explains = |spec: &Spec, keeps| match of_snapshots {
                true => is_snapshot_isolated(spec, keeps),
                false => is_serializable(spec, keeps),
            };
            let keeps = match violation.rules_out.last() {
                Some(level) if *level == weakest[0] => Keeps::Nothing,
                Some(level) if *level == weakest[1] => Keeps::Sessions,
                _ => Keeps::RealTime,
            };
            let part = part(&spec, |one| violation.witness.contains(&one.begins.into()));
            assert!(!explains(&part, keeps), "{part:#?}");
            // Nobody can be spared.
            for spared in &part.0 {
                let rest = self::part(&part, |one| one.begins != spared.begins);
                assert!(explains(&rest, keeps), "{part:#?} without {spared:#?}");
            }
            sizes.push(part.0.len());
        }
    }
    assert!(sizes.len() > 5 && sizes.iter().all(|size| *size <= 12), "{sizes:?}");
}

/// Either of two writes came first, and either of two others: all four ways are wrong.
#[test]
fn what_no_order_explains_needs_no_cycle() {
    let text = "0 0..8 w x 1 w a 1
                1 1..9 w x 2 w b 1
                2 2..10 w y 1 w c 1
                3 3..11 w y 2 w d 1
                4 4..12 g x 1 g c 1 g d 1
                5 5..13 g x 2 g c 1 g d 1
                6 6..14 g y 1 g a 1 g b 1
                7 7..15 g y 2 g a 1 g b 1";
    let judgement = judged(text);
    let found: Vec<_> =
        judgement.violations.iter().map(|one| (one.name, one.witness.len())).collect();
    assert_eq!(found, [("no-snapshots", 8), ("unserializable", 8)]);
    assert_eq!(judgement.weakest_ruled_out, [Rung::SnapshotIsolation, Rung::RepeatableRead]);
    let why = |at: usize| &judgement.violations[at].because[8];
    assert!(why(0).starts_with("no order of the beginnings and ends of these 8 transactions"));
    assert!(why(1).starts_with("no order of these 8 transactions explains"));
    // Twin: the last one is alone in what it found of `y`.
    let twin = judged(&text.replace("g y 1 g a 1 g b 1", "g y 2 g a 1 g b 1"));
    assert_eq!(twin.strongest, [Rung::StrictSerializable]);
}
