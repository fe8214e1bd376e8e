//! The search for a sequential order: what each session has done so far, and what each key holds.

use std::cmp::Reverse;
use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::kept::Kept;
use super::order::Edges;
use super::rungs::sequential::Sequential;
use super::sessions::{INITIAL, NONE, Sessions};

pub(crate) enum Search {
    /// In this order of the writes.
    Found(Vec<u32>),
    None,
    /// After so many states.
    Exhausted(usize),
}

/// Numbers that all states together may take.
const NUMBERS: usize = 1 << 24;

/// Tries the orders that keep the steps, which every order must, with at most so many states. What is `first` less,
/// by node, is tried first.
pub(crate) fn search(sessions: &Sessions, edges: &Edges, first: &[u32], states: usize) -> Search {
    let count = sessions.sessions();
    let states = states.min(NUMBERS / (count + sessions.keys).max(1));
    let mut tried: FxHashSet<Rc<[u32]>> = FxHashSet::default();
    // Where each session is, then what each key holds.
    let mut begin = sessions.starts[..count].to_vec();
    begin.extend(vec![INITIAL; sessions.keys]);
    // What was done last, and before that; and what may be done next, and where.
    let mut done: Vec<(u32, usize)> = Vec::new();
    let mut open: Vec<(Rc<[u32]>, u32, usize)> = Vec::new();
    let mut next = Some((begin, NONE, 0));
    while let Some((mut state, write, from)) = next.take() {
        read_all(sessions, edges, &mut state);
        done.push((write, from));
        if state.iter().zip(&sessions.starts[1..]).all(|(at, end)| at == end) {
            return Search::Found(way(&done));
        }
        if tried.len() == states {
            return Search::Exhausted(states);
        }
        let state: Rc<[u32]> = state.into();
        if tried.insert(Rc::clone(&state)) {
            let next = (0..count).filter_map(|session| ready(sessions, edges, &state, session));
            let mut writes: Vec<u32> = next.map(|step| step.write).collect();
            writes.sort_by_key(|write| Reverse(first[*write as usize]));
            let from = done.len() - 1;
            open.extend(writes.into_iter().map(|write| (Rc::clone(&state), write, from)));
        }
        next = open.pop().map(|(state, write, from)| {
            let mut state = state.to_vec();
            Step { last: write, write }.take(sessions, &mut state);
            (state, write, from)
        });
    }
    Search::None
}

/// The writes that led to the last of these.
fn way(done: &[(u32, usize)]) -> Vec<u32> {
    let mut at = done.len() - 1;
    let mut writes = Vec::new();
    while done[at].0 != NONE {
        writes.push(done[at].0);
        at = done[at].1;
    }
    writes.reverse();
    writes
}

/// One more operation.
struct Step {
    /// Its last node.
    last: u32,
    /// What it writes, or [`NONE`].
    write: u32,
}

impl Step {
    fn reads(&self) -> bool {
        self.write == NONE
    }

    fn take(&self, sessions: &Sessions, state: &mut [u32]) {
        let node = &sessions[self.last];
        state[node.session as usize] = self.last + 1;
        if self.write != NONE {
            state[sessions.sessions() + node.key as usize] = self.write;
        }
    }
}

/// Does all reads that can be next, one after another: nothing is lost by it.
fn read_all(sessions: &Sessions, edges: &Edges, state: &mut [u32]) {
    let mut is_new = true;
    while std::mem::take(&mut is_new) {
        for session in 0..sessions.sessions() {
            while let Some(read) = ready(sessions, edges, state, session).filter(Step::reads) {
                read.take(sessions, state);
                is_new = true;
            }
        }
    }
}

/// What a session can do next.
fn ready(sessions: &Sessions, edges: &Edges, state: &[u32], session: usize) -> Option<Step> {
    let node = state[session];
    if node == sessions.starts[session + 1] {
        return None;
    }
    let held = state[sessions.sessions() + sessions[node].key as usize];
    if !sessions.is_write(node) && sessions[node].source != held {
        return None;
    }
    let done = |node: u32| node < state[sessions[node].session as usize];
    let mut ready = edges.ending_at(node).iter().all(|edge| done(edge.0));
    Sequential.before(sessions, 0, node, |before| ready &= done(before));
    let is_cas = !sessions.is_write(node) && sessions.is_second_half(node + 1);
    let last = if is_cas { node + 1 } else { node };
    ready.then_some(Step { last, write: if sessions.is_write(last) { last } else { NONE } })
}
