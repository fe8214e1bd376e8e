//! Lists: what was read of one shows the order of its versions (Kingsbury and Alvaro, *Elle*, VLDB 2020).
//!
//! The longest read of a key is the order of its elements; whatever else was read of it has to be a
//! beginning of that. As every element was appended by one transaction, each read tells which versions
//! there were and which transactions made them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::found::{Found, Instance};
use super::material::{Access, Material, NONE};
use crate::history::steps::{Action, Atom, Content, Elements};

/// The versions of all keys.
pub(crate) struct Versions<'h> {
    /// For each key where its elements begin in `elements`, and the end of all.
    starts: Vec<u32>,
    /// The access that appended each element of each key, in the key's order; [`NONE`] if nothing did.
    elements: Vec<u32>,
    /// For each append the number of elements before its own; [`NONE`] for reads and what nobody read.
    pub position: Vec<u32>,
    longest: Vec<Option<(u32, Elements<'h>)>>,
}

/// A value that was appended to a key twice, so that nobody knows whose it is: the two accesses.
pub(crate) struct Repeated(pub u32, pub u32);

impl<'h> Versions<'h> {
    /// Finds them, and what is wrong with the lists themselves.
    pub fn of(material: &Material<'h>, found: &mut Found) -> Result<Versions<'h>, Repeated> {
        let writers = writers(material)?;
        let mut longest: Vec<Option<(u32, Elements<'h>)>> = vec![None; material.keys.len()];
        for (at, access, list) in reads(material) {
            let known = &mut longest[access.key as usize];
            if known.is_none_or(|(_, known)| known.len() < list.len()) {
                *known = Some((at, list));
            }
        }
        let owner = |at: u32| material.owner[at as usize];
        for (at, access, list) in reads(material) {
            let Some((of, known)) = longest[access.key as usize] else { continue };
            if !list.begins(known) {
                let key = access.key;
                found.add(Instance::IncompatibleOrder { key, reads: [owner(of), owner(at)] });
                duplicates(list, key, owner(at), found);
            }
        }
        let mut starts = vec![0];
        let mut elements = Vec::new();
        let mut position = vec![NONE; material.accesses.len()];
        for (key, known) in (0..).zip(&longest) {
            let list = known.iter().flat_map(|(_, list)| list.iter());
            for (place, element) in (0..).zip(list) {
                let writer = writers.get(&(key, element)).copied().unwrap_or(NONE);
                elements.push(writer);
                if let Some(position) = position.get_mut(writer as usize).filter(|at| **at == NONE)
                {
                    *position = place;
                }
            }
            starts.push(elements.len() as u32);
            if let Some((at, list)) = known {
                duplicates(*list, key, owner(*at), found);
            }
        }
        Ok(Versions { starts, elements, position, longest })
    }

    /// The appends that made the versions of a key, the first one first; [`NONE`] for an element that
    /// nobody appended.
    pub fn of_key(&self, key: u32) -> &[u32] {
        let at = key as usize;
        &self.elements[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// The number of a version of a key among those of all keys.
    pub fn number(&self, key: u32, count: u32) -> usize {
        // Each key has one version more than it has elements.
        (self.starts[key as usize] + key + count) as usize
    }

    /// How many versions there are.
    pub fn len(&self) -> usize {
        self.elements.len() + self.longest.len()
    }

    /// The transaction whose read the order of a key is.
    pub fn reader_of_all(&self, material: &Material<'_>, key: u32) -> Option<u32> {
        let (at, _) = self.longest[key as usize]?;
        Some(material.owner[at as usize])
    }

    /// How many elements a read found, if they are the beginning of the key's order; `None` of an append.
    pub fn count(&self, access: &Access<'_>) -> Option<u32> {
        let Some(list) = list_of(access)? else { return Some(0) };
        let begins = |(_, longest): &(u32, Elements<'_>)| list.begins(*longest);
        self.longest[access.key as usize].as_ref().is_some_and(begins).then(|| list.len())
    }
}

/// What a read found; `Some(None)` if nothing. `None` of an append.
fn list_of<'h>(access: &Access<'h>) -> Option<Option<Elements<'h>>> {
    match (access.action, access.content) {
        (Action::Read, Content::List(list)) => Some(Some(list)),
        (Action::Read, Content::One(_)) => Some(None),
        _ => None,
    }
}

/// Every read of a list with its position.
fn reads<'m, 'h>(
    material: &'m Material<'h>,
) -> impl Iterator<Item = (u32, &'m Access<'h>, Elements<'h>)> {
    (0..).zip(&material.accesses).filter_map(|(at, access)| Some((at, access, list_of(access)??)))
}

fn writers<'h>(material: &Material<'h>) -> Result<FxHashMap<(u32, Atom<'h>), u32>, Repeated> {
    let mut writers = FxHashMap::default();
    for (at, access) in (0..).zip(&material.accesses) {
        if let (Action::Append, Content::One(element)) = (access.action, access.content)
            && let Some(other) = writers.insert((access.key, element), at)
        {
            return Err(Repeated(other, at));
        }
    }
    Ok(writers)
}

/// Reports that a list holds an element twice.
fn duplicates(list: Elements<'_>, key: u32, reader: u32, found: &mut Found) {
    let mut seen = FxHashSet::default();
    if list.iter().any(|element| !seen.insert(element)) {
        found.add(Instance::Duplicate { key, reader });
    }
}
