//! Which transaction comes before which, by the versions of lists.

use super::append::Versions;
use super::graph::{Edge, Edges};
use super::material::{Material, NONE};
use crate::history::Completion;
use crate::history::steps::Action;

/// Appends that no read shows: of each key they come after all that one does, and in which order nobody
/// knows.
pub(crate) struct Unread {
    /// Key and transaction, in order.
    pub appends: Vec<(u32, u32)>,
}

/// Which transactions certainly happened: an `info` did if something of it was read.
pub(crate) fn happened(material: &Material<'_>, versions: &Versions<'_>) -> Vec<bool> {
    let mut happened: Vec<bool> =
        (0..material.len()).map(|one| material.completion(one) == Completion::Ok).collect();
    for (at, position) in versions.position.iter().enumerate() {
        let owner = material.owner[at];
        if *position != NONE && material.completion(owner) == Completion::Info {
            happened[owner as usize] = true;
        }
    }
    happened
}

/// Adds all edges; `next_node` is the first number that is no transaction's.
pub(crate) fn add_edges(
    material: &Material<'_>,
    versions: &Versions<'_>,
    happened: &[bool],
    edges: &mut Edges,
    next_node: &mut u32,
) -> Unread {
    let owner = |element: u32| {
        let owner = *material.owner.get(element as usize)?;
        happened[owner as usize].then_some(owner)
    };
    let mut appends: Vec<(u32, u32)> = (0..)
        .zip(&material.accesses)
        .filter(|(at, access)| {
            access.action == Action::Append && versions.position[*at as usize] == NONE
        })
        .filter_map(|(at, access)| Some((access.key, owner(at)?)))
        .collect();
    appends.sort_unstable();
    appends.dedup();
    let unread = Unread { appends };
    // Of each key what a transaction leads to that read all of it.
    let mut ends = Vec::with_capacity(material.keys.len());
    for key in 0..material.keys.len() as u32 {
        let mut writers = versions.of_key(key).iter().filter_map(|element| owner(*element));
        let mut last = writers.next();
        for writer in writers {
            edges.add(Edge::Ww, last.unwrap_or(writer), writer);
            last = Some(writer);
        }
        let end = End::new(unread.of_key(key), edges, next_node);
        if let Some(last) = last {
            unread.of_key(key).for_each(|writer| edges.add(Edge::Ww, last, writer));
        }
        ends.push(end);
    }
    for (at, access) in material.accesses.iter().enumerate() {
        let Some(count) = versions.count(access) else { continue };
        let (reader, elements) = (material.owner[at], versions.of_key(access.key));
        let (seen, unseen) = elements.split_at(count as usize);
        let own = seen.iter().rev().take_while(|element| owner(**element) == Some(reader)).count();
        let seen = &seen[..seen.len() - own];
        if let Some(writer) = seen.iter().rev().find_map(|element| owner(*element)) {
            edges.add(Edge::Wr, writer, reader);
        }
        // What it wrote itself comes between what it read and the rest.
        if own > 0 {
            continue;
        }
        match unseen.iter().find_map(|element| owner(*element)) {
            Some(writer) => edges.add(Edge::Rw, reader, writer),
            None => ends[access.key as usize].read_by(reader, unread.of_key(access.key), edges),
        }
    }
    unread
}

impl Unread {
    /// The transactions that appended to a key, in order.
    pub fn of_key(&self, key: u32) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        let from = self.appends.partition_point(|(other, _)| *other < key);
        let to = self.appends.partition_point(|(other, _)| *other <= key);
        self.appends[from..to].iter().map(|(_, transaction)| *transaction)
    }
}

/// Who read all of a key comes before all whose appends to it nobody read. That takes an edge for each
/// pair, or nodes that stand for the first few of them, and for the last few.
pub(crate) struct End {
    /// The node that stands for the first one alone; those for the first two, three, ... follow.
    firsts: u32,
    /// The node that stands for all; those for all but the first, all but the first two, ... follow.
    lasts: u32,
}

impl End {
    pub fn new(
        unread: impl ExactSizeIterator<Item = u32>,
        edges: &mut Edges,
        next_node: &mut u32,
    ) -> End {
        let count = unread.len() as u32;
        let end = End { firsts: *next_node, lasts: *next_node + count };
        if count < 2 {
            return end;
        }
        *next_node += 2 * count;
        for (at, writer) in (0..).zip(unread) {
            edges.add(Edge::Rw, end.firsts + at, writer);
            edges.add(Edge::Rw, end.lasts + at, writer);
            if at > 0 {
                edges.add(Edge::Rw, end.firsts + at, end.firsts + at - 1);
                edges.add(Edge::Rw, end.lasts + at - 1, end.lasts + at);
            }
        }
        end
    }

    pub fn read_by(
        &self,
        reader: u32,
        mut unread: impl ExactSizeIterator<Item = u32> + Clone,
        edges: &mut Edges,
    ) {
        let count = unread.len() as u32;
        if count < 2 {
            return unread.for_each(|writer| edges.add(Edge::Rw, reader, writer));
        }
        match (0..).zip(&mut unread).find(|(_, writer)| *writer == reader) {
            None => edges.add(Edge::Rw, reader, self.lasts),
            // All but itself.
            Some((at, _)) => {
                if at > 0 {
                    edges.add(Edge::Rw, reader, self.firsts + at - 1);
                }
                if at + 1 < count {
                    edges.add(Edge::Rw, reader, self.lasts + at + 1);
                }
            }
        }
    }
}
