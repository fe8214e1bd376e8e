//! Parts of a history that are looked at by themselves: what breaks a part breaks the whole, since an order that
//! explains the whole explains the part as well.

use super::sessions::{Kept, Sessions};
use super::witness::with_sources;

/// How many operations there are.
pub(crate) fn operations(sessions: &Sessions) -> u32 {
    sessions.accesses.last().map_or(0, |access| access.operation + 1)
}

/// The operations of a span and those that they read from.
pub(crate) fn part(sessions: &Sessions, from: u32, to: u32) -> Kept {
    sessions.only(&with_sources(sessions, from, to))
}

impl Kept {
    /// A node of the part as one of the whole.
    pub fn node(&self, whole: &Sessions, node: u32) -> u32 {
        let operation = self.operations[self.sessions[node].operation as usize];
        let first = whole.accesses.partition_point(|access| access.operation < operation);
        let halves = whole.by_time[first..].iter().copied();
        let mut halves = halves.take_while(|node| whole[*node].operation == operation);
        halves.find(|one| whole.is_write(*one) == self.sessions.is_write(node)).expect("it is kept")
    }

    /// The same of several.
    pub fn nodes(&self, whole: &Sessions, nodes: &[u32]) -> Vec<u32> {
        nodes.iter().map(|node| self.node(whole, *node)).collect()
    }
}
