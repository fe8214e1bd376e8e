//! Random small histories: mostly what a store may have answered, and a little that it may not.

use rand::{Rng, RngExt as _};

use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;

/// How large histories are.
#[derive(Clone, Copy)]
pub struct Size {
    pub transactions: usize,
    pub accesses: usize,
    pub keys: u32,
    /// Writes of one key.
    pub writes_most: usize,
}

/// Some transactions on lists.
pub fn lists(rng: &mut impl Rng, size: Size) -> Spec {
    let mut spec = skeleton(rng, size, true);
    let mut orders: Vec<Vec<(u32, bool)>> = vec![Vec::new(); size.keys as usize];
    // The versions in the order of the transactions, with some exceptions.
    for one in &spec.0 {
        let shown = one.fate == Completion::Ok || rng.random_bool(0.5);
        for (key, value) in one.accesses.iter().filter_map(Access::written) {
            let order = &mut orders[key as usize];
            let shown = shown && rng.random_bool(0.9);
            let at =
                if rng.random_bool(0.8) { order.len() } else { rng.random_range(0..=order.len()) };
            order.insert(at, (value, shown));
        }
    }
    let orders: Vec<Vec<u32>> = orders
        .into_iter()
        .map(|order| order.into_iter().filter(|(_, shown)| *shown).map(|(one, _)| one).collect())
        .collect();
    let honest = rng.random_bool(0.7);
    for at in 0..spec.0.len() {
        let before: Vec<(u32, u32)> =
            spec.0[..at].iter().flat_map(|one| &one.accesses).filter_map(Access::written).collect();
        let mut lengths: Vec<Option<usize>> = vec![None; size.keys as usize];
        let mut own = 0;
        for place in 0..spec.0[at].accesses.len() {
            if spec.0[at].accesses[place].written().is_some() {
                own += 1;
            }
            let key = spec.0[at].accesses[place].key();
            let order = &orders[key as usize];
            let mine: Vec<u32> = spec.0[at].accesses[..place]
                .iter()
                .filter_map(Access::written)
                .filter(|(of, _)| *of == key)
                .map(|(_, value)| value)
                .collect();
            let Access::List(_, list) = &mut spec.0[at].accesses[place] else { continue };
            let known = order.iter().rposition(|one| mine.contains(one)).map(|at| at + 1);
            let serial = order.iter().take_while(|one| before.contains(&(key, **one))).count();
            let length = match lengths[key as usize] {
                Some(length) if honest => known.unwrap_or(length).max(length),
                _ => match rng.random_range(0..10) {
                    0..6 => known.unwrap_or(serial),
                    6..8 => known.unwrap_or(serial.saturating_sub(1)),
                    _ => rng.random_range(0..=order.len()),
                },
            };
            lengths[key as usize] = Some(length);
            *list = order[..length.min(order.len())].to_vec();
            if rng.random_bool(0.004) && !list.is_empty() {
                let last = list.len() - 1;
                match rng.random_range(0..3) {
                    0 => list.swap(0, last),
                    1 => list.push(list[0]),
                    _ => list[last] = 999,
                }
            }
        }
        let _ = own;
    }
    spec
}

/// Some transactions on registers.
pub fn registers(rng: &mut impl Rng, size: Size) -> Spec {
    let mut spec = skeleton(rng, size, false);
    let all = spec.clone();
    let honest = rng.random_bool(0.7);
    for (at, one) in spec.0.iter_mut().enumerate() {
        let mut known: Vec<Option<Option<u32>>> = vec![None; size.keys as usize];
        for access in &mut one.accesses {
            if let Some((key, value)) = access.written() {
                known[key as usize] = Some(Some(value));
                continue;
            }
            let Access::Read(key, value) = access else { continue };
            let written = |to: usize| -> Vec<u32> {
                let before = all.0[..to].iter().filter(|one| one.fate != Completion::Fail);
                let written = before.flat_map(|one| &one.accesses).filter_map(Access::written);
                written.filter(|(of, _)| of == key).map(|(_, value)| value).collect()
            };
            let (earlier, every) = (written(at), written(all.0.len()));
            *value = match known[*key as usize] {
                Some(known) if honest || rng.random_bool(0.8) => known,
                _ => match rng.random_range(0..10) {
                    0..6 => earlier.last().copied(),
                    6..8 => earlier.iter().rev().nth(1).copied(),
                    8 => every.get(rng.random_range(0..=every.len())).copied(),
                    _ if rng.random_bool(0.02) => Some(999),
                    _ => earlier.get(rng.random_range(0..=earlier.len())).copied(),
                },
            };
            known[*key as usize] = Some(*value);
        }
    }
    spec
}

/// Sessions, intervals, ends and what is accessed.
fn skeleton(rng: &mut impl Rng, size: Size, lists: bool) -> Spec {
    let count = rng.random_range(1..=size.transactions);
    let sessions = rng.random_range(1..=3.min(count));
    let mut open: Vec<Option<usize>> = vec![None; sessions];
    let mut names: Vec<u64> = (0..sessions as u64).collect();
    let mut next_name = sessions as u64;
    let mut all: Vec<Transaction> = Vec::new();
    let mut written = vec![0_usize; size.keys as usize];
    let (mut now, mut next_value) = (0, 1);
    let overlap = [0.1, 0.5, 0.9][rng.random_range(0..3)];
    while all.len() < count || open.iter().any(Option::is_some) {
        let session = rng.random_range(0..sessions);
        match open[session] {
            Some(at) => {
                if all.len() < count && rng.random_bool(overlap) {
                    continue;
                }
                all[at].ends = now;
                if all[at].fate == Completion::Info {
                    names[session] = next_name;
                    next_name += 1;
                }
                open[session] = None;
            }
            None if all.len() < count => {
                open[session] = Some(all.len());
                let accesses = (0..rng.random_range(1..=size.accesses))
                    .map(|_| {
                        let key = rng.random_range(0..size.keys);
                        let writes = written[key as usize] < size.writes_most;
                        match (writes && rng.random_bool(0.45), lists) {
                            (true, _) => {
                                written[key as usize] += 1;
                                next_value += 1;
                                match lists {
                                    true => Access::Append(key, next_value - 1),
                                    false => Access::Write(key, next_value - 1),
                                }
                            }
                            (false, true) => Access::List(key, Vec::new()),
                            (false, false) => Access::Read(key, None),
                        }
                    })
                    .collect();
                let fate = match rng.random_range(0..20) {
                    0 => Completion::Fail,
                    1 | 2 => Completion::Info,
                    _ => Completion::Ok,
                };
                let session = names[session];
                all.push(Transaction { session, fate, begins: now, ends: 0, accesses });
            }
            None => continue,
        }
        now += 1;
    }
    Spec(all)
}
