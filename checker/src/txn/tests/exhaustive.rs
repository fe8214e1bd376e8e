//! Every small history against the definitions: up to three transactions of at most four accesses in all, on
//! two keys, with every answer of every read, in every order of time, and in every division into sessions.
//! `SPLITBRAIN_TXN_TRANSACTIONS=4` asks for those of four transactions and five accesses too: 8,860,680 on lists
//! and 2,781,432 on registers.

use std::collections::BTreeSet;

use super::differential::Answers;
use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;

/// A key, and whether it is written.
type Shape = (u32, bool);

fn transactions_most() -> usize {
    let asked = std::env::var("SPLITBRAIN_TXN_TRANSACTIONS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// All transactions of one or two accesses.
fn shapes() -> Vec<Vec<Shape>> {
    let single = [(0, false), (0, true), (1, false), (1, true)];
    let pairs = single.iter().flat_map(|one| single.map(|other| vec![*one, other]));
    single.map(|one| vec![one]).into_iter().chain(pairs).collect()
}

/// So many transactions with at most so many accesses in all, in one order of the many that say the same.
fn skeletons(transactions: usize, accesses_most: usize) -> Vec<Vec<Vec<Shape>>> {
    let mut all: Vec<Vec<Vec<Shape>>> = vec![Vec::new()];
    for _ in 0..transactions {
        let longer = |known: Vec<Vec<Shape>>| {
            let not_before = known.last().cloned().unwrap_or_default();
            let next = shapes().into_iter().filter(move |shape| *shape >= not_before);
            next.map(move |shape| [known.clone(), vec![shape]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all.retain(|one| one.iter().map(Vec::len).sum::<usize>() <= accesses_most);
    all
}

/// When each of some transactions begins and ends: one such layout for each relation of what came before what.
fn layouts(transactions: usize) -> Vec<Vec<(u32, u32)>> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    while let Some(events) = open.pop() {
        if events.len() == 2 * transactions {
            let at = |one: usize, times: usize| {
                let mut places = (0..).zip(&events).filter(|(_, event)| **event == one);
                places.nth(times).map_or(0, |(at, _)| at)
            };
            let times: Vec<(u32, u32)> =
                (0..transactions).map(|one| (at(one, 0), at(one, 1))).collect();
            let before = |one: usize, other: usize| times[one].1 < times[other].0;
            let relation: Vec<bool> = (0..transactions * transactions)
                .map(|pair| before(pair / transactions, pair % transactions))
                .collect();
            if known.insert(relation) {
                found.push(times);
            }
            continue;
        }
        for one in 0..transactions {
            if events.iter().filter(|event| **event == one).count() < 2 {
                open.push([events.clone(), vec![one]].concat());
            }
        }
    }
    found
}

/// All divisions into sessions of which none did two things at once.
fn sessions(times: &[(u32, u32)]) -> Vec<Vec<u64>> {
    let mut all: Vec<Vec<u64>> = vec![Vec::new()];
    for (begins, ends) in times {
        let longer = |known: Vec<u64>| {
            let next = known.iter().max().map_or(0, |most| most + 1);
            let is_free = |session: &u64| {
                let mut of_session = known.iter().zip(times).filter(|(one, _)| *one == session);
                of_session.all(|(_, other)| other.1 < *begins || *ends < other.0)
            };
            let free: Vec<u64> = (0..=next).filter(is_free).collect();
            free.into_iter().map(move |session| [known.clone(), vec![session]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// What reads can find: of a list any of its elements in any order.
fn answers(lists: bool, key: u32, written: &[u32]) -> Vec<Access> {
    if !lists {
        let values = written.iter().map(|value| Some(*value)).chain([None]);
        return values.map(|value| Access::Read(key, value)).collect();
    }
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    let mut at = 0;
    while let Some(list) = all.get(at).cloned() {
        at += 1;
        let more = written.iter().filter(|value| !list.contains(value));
        all.extend(more.map(|value| [list.clone(), vec![*value]].concat()));
    }
    all.into_iter().map(|list| Access::List(key, list)).collect()
}

/// All ways in which the accesses of a skeleton can end.
fn accesses(lists: bool, skeleton: &[Vec<Shape>]) -> Vec<Vec<Vec<Access>>> {
    let mut number = 0;
    let mut written = [Vec::new(), Vec::new()];
    for (key, _) in skeleton.iter().flatten().filter(|(_, writes)| *writes) {
        number += 1;
        written[*key as usize].push(number);
    }
    let mut all: Vec<Vec<Vec<Access>>> = vec![Vec::new()];
    let mut number = 0;
    for shapes in skeleton {
        all.iter_mut().for_each(|known| known.push(Vec::new()));
        for (key, writes) in shapes {
            let ways = if *writes {
                number += 1;
                let write = if lists { Access::Append } else { Access::Write };
                vec![write(*key, number)]
            } else {
                answers(lists, *key, &written[*key as usize])
            };
            let with = |known: Vec<Vec<Access>>| {
                ways.iter().cloned().map(move |way| {
                    let mut known = known.clone();
                    known.last_mut().expect("a transaction").push(way);
                    known
                })
            };
            all = all.into_iter().flat_map(with).collect();
        }
    }
    all
}

/// Compares all of them, and says how many there are.
fn compare(lists: bool) -> Vec<u64> {
    let mut counts = Vec::new();
    for transactions in 1..=transactions_most() {
        let mut answers = Answers::default();
        let mut count = 0;
        let layouts = layouts(transactions);
        for skeleton in skeletons(transactions, transactions + 1) {
            for accesses in accesses(lists, &skeleton) {
                for times in &layouts {
                    for sessions in sessions(times) {
                        let one = |((accesses, (begins, ends)), session)| Transaction {
                            session,
                            fate: Completion::Ok,
                            begins,
                            ends,
                            accesses,
                        };
                        let parts = accesses.iter().cloned().zip(times.iter().copied());
                        let mut spec = Spec(parts.zip(sessions).map(one).collect());
                        spec.0.sort_by_key(|one| one.begins);
                        answers.compare(&spec);
                        count += 1;
                    }
                }
            }
        }
        eprintln!("{count} histories of {transactions} transactions");
        answers.check_all();
        counts.push(count);
    }
    counts
}

#[test]
fn every_small_history_of_lists() {
    assert_eq!(compare(true)[..3], [24, 710, 47_702]);
}

#[test]
fn every_small_history_of_registers() {
    assert_eq!(compare(false)[..3], [24, 650, 31_842]);
}
