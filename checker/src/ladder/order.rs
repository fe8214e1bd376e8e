//! Topological orders, and cycles.

use super::kept::Kept;
use super::sessions::Sessions;

/// A cycle: each node comes before the next, and the last before the first.
pub(crate) type Cycle = Vec<u32>;

/// Each node's position in an order, and the nodes in that order.
#[derive(Clone)]
pub(crate) struct Order {
    pub position: Vec<u32>,
    pub nodes: Vec<u32>,
    /// By key, the position of its first write; of a key without one, the number of nodes.
    pub first_write: Vec<u32>,
}

impl Order {
    fn new(sessions: &Sessions, position: Vec<u32>, nodes: Vec<u32>) -> Order {
        let mut first_write = vec![nodes.len() as u32; sessions.keys];
        for node in nodes.iter().rev().filter(|node| sessions.is_write(**node)) {
            first_write[sessions[*node].key as usize] = position[*node as usize];
        }
        Order { position, nodes, first_write }
    }
}

/// Edges between nodes beyond those that a rung keeps, by their targets.
pub(crate) struct Edges {
    /// Ascending by target.
    edges: Vec<(u32, u32)>,
    /// Where each target's edges begin, and how many edges there are.
    starts: Vec<u32>,
}

impl Edges {
    /// Of edges from one node to another.
    pub fn new(nodes: usize, edges: &[(u32, u32)]) -> Edges {
        let mut starts = vec![0; nodes + 1];
        for (_, target) in edges {
            starts[*target as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut sorted = vec![(0, 0); edges.len()];
        for edge in edges {
            let at = &mut next[edge.1 as usize];
            sorted[*at as usize] = *edge;
            *at += 1;
        }
        Edges { edges: sorted, starts }
    }

    /// Those that end at a node.
    pub fn ending_at(&self, node: u32) -> &[(u32, u32)] {
        let [from, to] = [0, 1].map(|more| self.starts[node as usize + more] as usize);
        &self.edges[from..to]
    }
}

/// An order of all nodes that keeps what a rung keeps, and the edges. Where these leave a choice, the
/// order of invocation stands, so that what is near in time is near in the order. In O(nodes and edges).
pub(crate) fn topological(
    sessions: &Sessions,
    kept: impl Kept,
    reader: u32,
    edges: Option<&Edges>,
) -> Result<Order, Cycle> {
    const NEW: u32 = u32::MAX;
    const OPEN: u32 = u32::MAX - 1;
    let mut position = vec![NEW; sessions.len()];
    let mut nodes = Vec::with_capacity(sessions.len());
    let mut open = Vec::new();
    for first in &sessions.by_time {
        open.push(*first);
        while let Some(&node) = open.last() {
            match position[node as usize] {
                NEW => {
                    position[node as usize] = OPEN;
                    let mut on_cycle = None;
                    let mut tell = |before: u32| match position[before as usize] {
                        NEW => open.push(before),
                        OPEN => on_cycle = Some(before),
                        _ => {}
                    };
                    kept.before(sessions, reader, node, &mut tell);
                    edges
                        .iter()
                        .flat_map(|edges| edges.ending_at(node))
                        .for_each(|edge| tell(edge.0));
                    if let Some(start) = on_cycle {
                        return Err(closed(&open, &position, OPEN, node, start));
                    }
                }
                OPEN => {
                    position[node as usize] = nodes.len() as u32;
                    nodes.push(node);
                    open.pop();
                }
                _ => {
                    open.pop();
                }
            }
        }
    }
    Ok(Order::new(sessions, position, nodes))
}

/// The cycle that was found when `start`, which is open, turned out to be before `node`. The open nodes
/// are a path, each before the one that opened it; others wait between them.
fn closed(stack: &[u32], position: &[u32], open: u32, node: u32, start: u32) -> Cycle {
    let mut path: Vec<u32> = Vec::new();
    // A node may wait more than once; it is open where it was met last before it was opened.
    for at in stack.iter().rev().skip_while(|at| **at != node) {
        if position[*at as usize] == open && !path.contains(at) {
            path.push(*at);
            if *at == start {
                break;
            }
        }
    }
    path
}

/// Looks for a cycle among the nodes of `within`, which is closed towards what comes before. `before` adds
/// what is directly before a node, and `edges` are those of it that the order need not keep. A cycle has an
/// edge that goes back in the order, and it lies where such edges do; nothing else is looked at.
pub(crate) fn cycle(
    order: &Order,
    edges: &[(u32, u32)],
    within: impl Fn(u32) -> bool,
    before: impl Fn(u32, &mut Vec<u32>),
) -> Option<Cycle> {
    let position = |node: u32| order.position[node as usize];
    let spans = edges.iter().map(|(from, to)| (position(*to), position(*from)));
    let mut back: Vec<(u32, u32)> = spans.filter(|(to, from)| to <= from).collect();
    back.sort_unstable();
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for (from, to) in back {
        match spans.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => spans.push((from, to)),
        }
    }
    spans.into_iter().find_map(|(from, to)| {
        let nodes = &order.nodes[from as usize..=to as usize];
        let before = |node: u32, found: &mut Vec<u32>| {
            before(node, found);
            found.retain(|node| (from..=to).contains(&position(*node)) && within(*node));
        };
        cycle_among(nodes, |node| (position(node) - from) as usize, &within, before)
    })
}

/// A depth-first search that remembers the path.
fn cycle_among(
    nodes: &[u32],
    number: impl Fn(u32) -> usize,
    within: impl Fn(u32) -> bool,
    before: impl Fn(u32, &mut Vec<u32>),
) -> Option<Cycle> {
    let mut state = vec![0_u8; nodes.len()];
    let mut path: Vec<(u32, Vec<u32>)> = Vec::new();
    for first in nodes.iter().copied().filter(|node| within(*node)) {
        let mut next = Some(first);
        loop {
            if let Some(node) = next.take() {
                match state[number(node)] {
                    0 => {
                        state[number(node)] = 1;
                        let mut found = Vec::new();
                        before(node, &mut found);
                        path.push((node, found));
                    }
                    1 => {
                        let from = path.iter().position(|(on, _)| *on == node)?;
                        return Some(path[from..].iter().rev().map(|(on, _)| *on).collect());
                    }
                    _ => {}
                }
            }
            match path.last_mut() {
                None => break,
                Some((node, found)) => match found.pop() {
                    Some(one) => next = Some(one),
                    None => {
                        state[number(*node)] = 2;
                        path.pop();
                    }
                },
            }
        }
    }
    None
}
