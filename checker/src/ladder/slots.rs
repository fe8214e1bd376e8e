//! Places for sessions in clocks, fewer than there are sessions where these follow each other.
//!
//! A session has its place as long as somebody may ask for its writes: until it has ended and the keys that it
//! wrote were read for the last time. After that another session may have it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::order::Order;
use super::sessions::Sessions;

/// A position in the order and one: 0 is before all of them.
pub(crate) type Stamp = i32;

pub(crate) struct Slots {
    /// By session.
    pub of: Vec<u32>,
    /// By session, the first stamp of the one that has its place after it.
    pub until: Vec<Stamp>,
    pub count: usize,
}

impl Slots {
    /// In an order that keeps each session's. In O(n log n).
    pub fn new(sessions: &Sessions, order: &Order) -> Slots {
        let position = |node: u32| order.position[node as usize];
        let mut last_read = vec![0; sessions.keys];
        for node in (0..sessions.len() as u32).filter(|node| !sessions.is_write(*node)) {
            let last = &mut last_read[sessions[node].key as usize];
            *last = position(node).max(*last);
        }
        let mut spans: Vec<(u32, u32, u32)> = (0..sessions.sessions() as u32)
            .filter_map(|session| {
                let nodes = sessions.nodes_of(session);
                let first = position(nodes.clone().next()?);
                let ends = nodes.map(|node| match sessions.is_write(node) {
                    true => position(node).max(last_read[sessions[node].key as usize]),
                    false => position(node),
                });
                Some((first, ends.max()?, session))
            })
            .collect();
        spans.sort_unstable();
        let mut slots = Slots {
            of: vec![0; sessions.sessions()],
            until: vec![Stamp::MAX; sessions.sessions()],
            count: 0,
        };
        let mut taken: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
        for (first, end, session) in spans {
            let free = taken.peek().filter(|Reverse((end, _))| *end < first).copied();
            slots.of[session as usize] = match free {
                Some(Reverse((_, before))) => {
                    taken.pop();
                    slots.until[before as usize] = first as Stamp + 1;
                    slots.of[before as usize]
                }
                None => {
                    slots.count += 1;
                    slots.count as u32 - 1
                }
            };
            taken.push(Reverse((end, session)));
        }
        slots
    }
}
