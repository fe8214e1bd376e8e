//! What is wrong with single reads of lists, and single versions.

use super::append::Versions;
use super::found::{Found, Instance};
use super::material::{Material, NONE};
use crate::history::Completion;
use crate::history::steps::Action;

/// A read of a list of so many elements.
#[derive(Clone, Copy)]
struct Reading {
    at: u32,
    key: u32,
    count: u32,
    transaction: u32,
}

/// What a transaction has read of a key so far.
#[derive(Clone, Copy)]
struct Seen {
    transaction: u32,
    /// The length of what it found if it read before it appended.
    first: Option<u32>,
    /// The longest that it found.
    most: u32,
    /// How long a list is at least that shows all that it appended; [`NONE`] if none that is known does in
    /// the order in which it appended.
    own: u32,
}

/// Looks at everything that was answered.
pub(crate) fn look(material: &Material<'_>, versions: &Versions<'_>, found: &mut Found) {
    let keys = 0..material.keys.len() as u32;
    let failed: Vec<u32> = keys.map(|key| versions_of(material, versions, key, found)).collect();
    let mut seen = vec![Seen { transaction: NONE, first: None, most: 0, own: 0 }; failed.len()];
    let mut updaters = vec![NONE; versions.len()];
    for (at, access) in (0..).zip(&material.accesses) {
        let (key, transaction) = (access.key, material.owner[at as usize]);
        let count = versions.count(access);
        let seen = &mut seen[key as usize];
        if seen.transaction != transaction {
            *seen = Seen { transaction, first: count, most: 0, own: 0 };
        }
        if let Some(count) = count {
            seen.most = seen.most.max(count);
            let reading = Reading { at, key, count, transaction };
            match count < seen.own {
                true => found.add(Instance::Internal { key, transaction, own: true }),
                false => between(material, versions, reading, found),
            }
            of_others(material, versions, reading, &failed, found);
        } else if access.action == Action::Append {
            let place = versions.position[at as usize];
            // Nobody reads what it is yet to append.
            if place < seen.most {
                found.add(Instance::FutureRead { key, transaction });
            }
            if place < seen.own
                && seen.own != NONE
                && let Some(reader) = versions.reader_of_all(material, key)
                && reader != transaction
            {
                found.add(Instance::Reordered { key, writer: transaction, reader });
            }
            seen.own = if place == NONE || place < seen.own { NONE } else { place + 1 };
            // Of two transactions that read a version and then made another one, one did not see the
            // other's.
            let Some(count) = seen.first else { continue };
            match &mut updaters[versions.number(key, count)] {
                free @ &mut NONE => *free = transaction,
                other if *other == transaction => {}
                other => found.add(Instance::LostUpdate { key, updates: [*other, transaction] }),
            }
        }
    }
}

/// A transaction sees what it did itself since it last read, and nothing more.
fn between(material: &Material<'_>, versions: &Versions<'_>, reading: Reading, found: &mut Found) {
    let Reading { at, key, count, transaction } = reading;
    // Everything from here on was done by itself since what comes next in the walk back.
    let mut end = count;
    let mut others_between = false;
    for (before, access) in material.back_from(at).skip(1) {
        if access.action == Action::Read {
            others_between |= versions.count(access).is_some_and(|earlier| earlier != end);
            break;
        }
        let place = versions.position[before as usize];
        others_between |= place + 1 != end;
        end = place;
    }
    if others_between {
        found.add(Instance::Internal { key, transaction, own: false });
    }
}

/// What others did is read if they did it, and as they left it.
fn of_others(
    material: &Material<'_>,
    versions: &Versions<'_>,
    reading: Reading,
    failed: &[u32],
    found: &mut Found,
) {
    let Reading { key, count, transaction: reader, .. } = reading;
    let elements = versions.of_key(key);
    let owner = |element: u32| material.owner[element as usize];
    if failed[key as usize] < count {
        let writer = owner(elements[failed[key as usize] as usize]);
        found.add(Instance::G1a { key, writer, reader });
    }
    let last = elements[..count as usize].iter().rev().copied();
    let mut of_others = last.filter(|element| *element != NONE && owner(*element) != reader);
    if let Some(last) = of_others.next().filter(|last| material.overwritten[*last as usize]) {
        found.add(Instance::G1b { key, writer: owner(last), reader });
    }
}

/// Looks at the versions of a key; returns the place of the first whose transaction failed.
fn versions_of(
    material: &Material<'_>,
    versions: &Versions<'_>,
    key: u32,
    found: &mut Found,
) -> u32 {
    let mut first_failed = NONE;
    let (mut failed, mut is_dirty) = (None, false);
    for (place, element) in (0..).zip(versions.of_key(key)) {
        if *element == NONE {
            if let Some(reader) = versions.reader_of_all(material, key) {
                found.add(Instance::Phantom { key, reader });
            }
            continue;
        }
        let writer = material.owner[*element as usize];
        match (material.completion(writer), failed) {
            (Completion::Fail, _) => {
                first_failed = first_failed.min(place);
                failed = Some(writer);
            }
            (Completion::Ok, Some(failed)) => {
                // One of a key is enough; but what comes after it may be nobody's.
                if !is_dirty {
                    found.add(Instance::DirtyUpdate { key, failed, next: writer });
                }
                is_dirty = true;
            }
            _ => {}
        }
    }
    first_failed
}
