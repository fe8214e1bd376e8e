//! Sentences about lists.

use super::append::Versions;
use super::append_edges::Unread;
use super::found::Instance;
use super::graph::Edge;
use super::material::{Access, Material, NONE};
use super::tell::{Explain, content, name_of, short};
use crate::history::Completion;
use crate::history::steps::Action;

/// What is known of lists.
pub(crate) struct Words<'w, 'h> {
    pub material: &'w Material<'h>,
    pub versions: &'w Versions<'h>,
    pub unread: &'w Unread,
}

impl Words<'_, '_> {
    /// The append at a place, if its transaction happened.
    fn known(&self, element: u32) -> Option<u32> {
        let owner = *self.material.owner.get(element as usize)?;
        (self.material.completion(owner) != Completion::Fail).then_some(element)
    }

    fn owner(&self, element: u32) -> u32 {
        self.material.owner[element as usize]
    }

    fn value(&self, element: u32) -> String {
        content(self.material.accesses[element as usize].content)
    }

    /// What stands before an append.
    fn before(&self, append: u32, key: u32) -> Option<u32> {
        let elements = self.versions.of_key(key);
        let place = self.versions.position[append as usize];
        let before = &elements[..elements.len().min(place as usize)];
        before.iter().rev().find_map(|element| self.known(*element))
    }

    fn appends(&self, of: u32) -> impl Iterator<Item = (u32, &Access<'_>)> {
        let accesses = self.material.range(of).zip(self.material.of_transaction(of));
        accesses.filter(|(_, access)| access.action == Action::Append)
    }

    fn reads(&self, of: u32) -> impl Iterator<Item = (&Access<'_>, usize)> {
        let accesses = self.material.of_transaction(of).iter();
        accesses.filter_map(|access| Some((access, self.versions.count(access)? as usize)))
    }

    fn ww(&self, from: u32, to: u32) -> Option<(u32, String)> {
        self.appends(to).find_map(|(at, access)| {
            let before =
                self.before(at, access.key).filter(|before| self.owner(*before) == from)?;
            let where_to = match self.versions.position[at as usize] {
                NONE => "no read of it shows that yet",
                _ => "right after that",
            };
            let (one, other) = (self.value(before), self.value(at));
            let key = name_of(self.material, access.key);
            let (a, b) = (short(self.material, from), short(self.material, to));
            Some((access.key, format!("{a} appended {one} to {key}, and {b} {other}, {where_to}")))
        })
    }

    fn wr(&self, from: u32, to: u32) -> Option<(u32, String)> {
        self.reads(to).find_map(|(access, count)| {
            let seen = self.versions.of_key(access.key)[..count].iter().rev();
            let mut others = seen
                .filter_map(|element| self.known(*element))
                .filter(|element| self.owner(*element) != to);
            let last = others.next().filter(|last| self.owner(*last) == from)?;
            let key = name_of(self.material, access.key);
            let (a, b) = (short(self.material, from), short(self.material, to));
            Some((
                access.key,
                format!("{b} read {} in {key}, which {a} appended", self.value(last)),
            ))
        })
    }

    fn rw(&self, from: u32, to: u32) -> Option<(u32, String)> {
        self.reads(from).find_map(|(access, count)| {
            let unseen = self.versions.of_key(access.key)[count..].iter();
            let next = unseen.filter_map(|element| self.known(*element)).next();
            let next = match next {
                Some(next) => Some(next).filter(|next| self.owner(*next) == to),
                None => self.unread.of_key(access.key).any(|one| one == to).then(|| {
                    let mut appends = self.appends(to);
                    let to_key = appends.find(|(_, append)| append.key == access.key);
                    to_key.map_or(NONE, |(at, _)| at)
                }),
            };
            let next = next.filter(|next| *next != NONE)?;
            let key = name_of(self.material, access.key);
            let (a, b) = (short(self.material, from), short(self.material, to));
            let read = content(access.content);
            let value = self.value(next);
            Some((
                access.key,
                format!("{a} read {read} of {key}, without {value}, which {b} appended"),
            ))
        })
    }
}

impl Explain for Words<'_, '_> {
    fn why(&self, edge: Edge, from: u32, to: u32) -> Option<(u32, String)> {
        match edge {
            Edge::Ww => self.ww(from, to),
            Edge::Wr => self.wr(from, to),
            Edge::Rw => self.rw(from, to),
            _ => None,
        }
    }

    fn because(&self, instance: &Instance) -> Vec<String> {
        let name = |one: &u32| short(self.material, *one);
        let key = |key: &u32| name_of(self.material, *key);
        vec![match instance {
            Instance::IncompatibleOrder { key: of, reads: [one, other] } => format!(
                "neither of what {} and {} read of {} is the beginning of the other, although a list only \
                 grows at its end",
                name(one),
                name(other),
                key(of)
            ),
            Instance::Duplicate { key: of, reader } => {
                format!("{} read an element of {} twice in one list", name(reader), key(of))
            }
            Instance::Phantom { key: of, reader } => {
                format!(
                    "{} read an element of {} that nobody ever tried to append",
                    name(reader),
                    key(of)
                )
            }
            Instance::G1a { key: of, writer, reader } => format!(
                "{} read in {} what {} appended, and that certainly did not happen",
                name(reader),
                key(of),
                name(writer)
            ),
            Instance::G1b { key: of, writer, reader } => format!(
                "{} read {} as it was in the middle of {}, which appended more to it",
                name(reader),
                key(of),
                name(writer)
            ),
            Instance::Reordered { key: of, writer, reader } => format!(
                "{} read what {} appended to {} in another order than that in which it was appended",
                name(reader),
                name(writer),
                key(of)
            ),
            Instance::DirtyUpdate { key: of, failed, next } => format!(
                "{} appended to {} after what {} appended, and that certainly did not happen",
                name(next),
                key(of),
                name(failed)
            ),
            Instance::Internal { key: of, transaction, own: true } => {
                format!(
                    "{} did not see in {} what it had appended itself",
                    name(transaction),
                    key(of)
                )
            }
            Instance::Internal { key: of, transaction, own: false } => format!(
                "{} read {} twice and found what it had not done itself in between",
                name(transaction),
                key(of)
            ),
            Instance::FutureRead { key: of, transaction } => {
                format!("{} read in {} what it appended only later", name(transaction), key(of))
            }
            Instance::LostUpdate { key: of, updates: [one, other] } => format!(
                "{} and {} read the same version of {}, and then both appended to it",
                name(one),
                name(other),
                key(of)
            ),
            Instance::Missed { key: of, missed, reader, .. } => format!(
                "{} came after {} and did not see what that appended to {}",
                name(reader),
                name(missed),
                key(of)
            ),
            // Of lists the order of the versions is read.
            Instance::CyclicVersions { .. }
            | Instance::Unserializable { .. }
            | Instance::NoSnapshots { .. }
            | Instance::Cycle(_) => return Vec::new(),
        }]
    }
}
