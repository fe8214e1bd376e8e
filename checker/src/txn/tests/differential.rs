//! The fast check against the definitions. `SPLITBRAIN_TXN_CASES` says how many histories of each size are
//! tried; a million take a while.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::granted::levels_by;
use super::oracle::levels;
use super::random::{Size, lists, registers};
use super::spec::Spec;
use crate::ladder::{Ladder, Rung};
use crate::txn::trusted::KeyOrders;
use crate::verdict::Verdict;

fn cases() -> u64 {
    std::env::var("SPLITBRAIN_TXN_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// How often each answer came, and the smallest history of each wrong one.
#[derive(Default)]
pub struct Answers {
    valid: u64,
    invalid: u64,
    unknown: u64,
    wrong: BTreeMap<(&'static str, bool), (u64, String)>,
}

impl Answers {
    pub fn compare(&mut self, spec: &Spec) {
        self.compare_with(spec, &levels(spec), spec.ladder());
    }

    fn compare_with(&mut self, spec: &Spec, held: &BTreeSet<Rung>, ladder: Ladder) {
        for (level, verdict) in ladder {
            match verdict {
                Verdict::Unknown { .. } => {
                    self.unknown += 1;
                    continue;
                }
                Verdict::Valid => self.valid += 1,
                Verdict::Invalid => self.invalid += 1,
            }
            if verdict.is_valid() != held.contains(&level) {
                let text = format!("{:?}", spec.0);
                let of = (level.name(), verdict.is_valid());
                let (count, smallest) = self.wrong.entry(of).or_insert((0, text.clone()));
                *count += 1;
                if text.len() < smallest.len() {
                    *smallest = text;
                }
            }
        }
    }

    /// Each answer is right, and there is nearly always one.
    pub fn check_all(&self) {
        for ((level, held), (count, smallest)) in &self.wrong {
            let said = if *held { "holds" } else { "does not hold" };
            eprintln!("{level} {said}, which is wrong, {count} times, as of {smallest}");
        }
        let Answers { valid, invalid, unknown, .. } = self;
        let all = valid + invalid + unknown;
        eprintln!("{valid} valid, {invalid} invalid, {unknown} unknown");
        assert!(self.wrong.is_empty());
        assert!(unknown * 20 < all);
    }

    /// And the histories were of all sorts.
    fn check(&self) {
        self.check_all();
        let Answers { valid, invalid, unknown, .. } = self;
        let all = valid + invalid + unknown;
        assert!(invalid * 20 > all && valid * 20 > all);
    }
}

#[test]
fn lists_are_judged_as_defined() {
    for (seed, size) in SIZES.into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
        let mut answers = Answers::default();
        for _ in 0..cases() {
            answers.compare(&lists(&mut rng, size));
        }
        answers.check();
    }
}

#[test]
fn registers_are_judged_as_defined() {
    for (seed, size) in SIZES.into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed as u64);
        let mut answers = Answers::default();
        for _ in 0..cases() {
            answers.compare(&registers(&mut rng, size));
        }
        answers.check();
    }
}

#[test]
fn what_is_taken_for_granted_counts_as_defined() {
    let nothing = KeyOrders::default();
    for (seed, keys) in [
        KeyOrders { linearizable: true, ..nothing },
        KeyOrders { sequential: true, ..nothing },
        KeyOrders { writes_follow_reads: true, ..nothing },
    ]
    .into_iter()
    .enumerate()
    {
        let mut rng = ChaCha8Rng::seed_from_u64(200 + seed as u64);
        let mut answers = Answers::default();
        for _ in 0..cases() {
            let spec = registers(&mut rng, SIZES[1]);
            answers.compare_with(&spec, &levels_by(&spec, keys), spec.ladder_by(keys));
        }
        answers.check();
    }
}

const SIZES: [Size; 3] = [
    Size { transactions: 3, accesses: 3, keys: 2, writes_most: 3 },
    Size { transactions: 5, accesses: 3, keys: 2, writes_most: 4 },
    Size { transactions: 8, accesses: 2, keys: 3, writes_most: 3 },
];
