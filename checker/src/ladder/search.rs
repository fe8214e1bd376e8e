//! The search for a sequential order: what each session has done so far, and what each key holds.

use rustc_hash::FxHashSet;

use super::kept::Kept;
use super::order::Edges;
use super::rungs::sequential::Sequential;
use super::sessions::{INITIAL, Sessions};

/// States that are looked at.
const STATES: usize = 200_000;

pub(crate) enum Search {
    Found,
    None,
    /// After so many states.
    Exhausted(usize),
}

/// Tries the orders that keep the steps, which every order must.
pub(crate) fn search(sessions: &Sessions, edges: &Edges) -> Search {
    let mut tried: FxHashSet<Vec<u32>> = FxHashSet::default();
    // Where each session is, then what each key holds.
    let mut first = sessions.starts[..sessions.sessions()].to_vec();
    first.extend(vec![INITIAL; sessions.keys]);
    let mut open = vec![first];
    while let Some(mut state) = open.pop() {
        // A read that can be next may be next: nothing is lost by it.
        loop {
            let changes =
                |after: &Vec<u32>| after[sessions.sessions()..] != state[sessions.sessions()..];
            let read = next(sessions, edges, &state).find(|after| !changes(after));
            match read {
                Some(read) => state = read,
                None => break,
            }
        }
        if state.iter().zip(&sessions.starts[1..]).all(|(at, end)| at == end) {
            return Search::Found;
        }
        if tried.len() == STATES {
            return Search::Exhausted(STATES);
        }
        if tried.insert(state.clone()) {
            open.extend(next(sessions, edges, &state));
        }
    }
    Search::None
}

/// The states after one more operation.
fn next<'a>(
    sessions: &'a Sessions,
    edges: &'a Edges,
    state: &'a [u32],
) -> impl Iterator<Item = Vec<u32>> + 'a {
    let done = |node: u32| node < state[sessions[node].session as usize];
    (0..sessions.sessions()).filter_map(move |session| {
        let node = state[session];
        if node == sessions.starts[session + 1] {
            return None;
        }
        let held = sessions.sessions() + sessions[node].key as usize;
        let mut ready = edges.ending_at(node).iter().all(|edge| done(edge.0));
        Sequential.before(sessions, 0, node, |before| ready &= done(before));
        if !ready || !sessions.is_write(node) && sessions[node].source != state[held] {
            return None;
        }
        let mut after = state.to_vec();
        let mut last = node;
        if !sessions.is_write(node) && sessions.is_second_half(node + 1) {
            last += 1;
        }
        if sessions.is_write(last) {
            after[held] = last;
        }
        after[session] = last + 1;
        Some(after)
    })
}
