//! Shortest paths between transactions, by which cycles are shown.

use std::collections::VecDeque;

use super::graph::Edge;
use super::material::NONE;

/// A step of a path: where it begins, and why it leads on. Without a reason it is only half of a
/// transaction that goes on to the other half.
pub(crate) type Hop = (u32, Option<Edge>);

/// Looks for paths in a graph of so many nodes, and counts what that costs.
pub(crate) struct Paths {
    /// By which search each node was reached, how far it is, and from where.
    reached: Vec<(u32, u32, Hop)>,
    searches: u32,
    queue: VecDeque<(u32, u32)>,
    /// How many more edges may be followed.
    pub budget: u64,
}

impl Paths {
    pub fn new(nodes: u32, budget: u64) -> Paths {
        let reached = vec![(0, 0, (NONE, None)); nodes as usize];
        Paths { reached, searches: 0, queue: VecDeque::new(), budget }
    }

    /// The shortest path of at least one hop, or `None` if there is none or the budget ends. Hops from what
    /// is no transaction, and those without a reason, count for nothing.
    pub fn shortest<I: Iterator<Item = (Option<Edge>, u32)>>(
        &mut self,
        from: u32,
        to: u32,
        is_free: impl Fn(u32) -> bool,
        successors: impl Fn(u32) -> I,
    ) -> Option<Vec<Hop>> {
        self.searches += 1;
        let search = self.searches;
        self.queue.clear();
        self.queue.push_back((from, 0));
        while let Some((node, far)) = self.queue.pop_front() {
            let (by, known, _) = self.reached[node as usize];
            if by == search && known < far {
                continue;
            }
            if node == to && by == search {
                return Some(self.back(from, to));
            }
            for (edge, next) in successors(node) {
                self.budget = self.budget.checked_sub(1)?;
                let is_free = edge.is_none() || is_free(node);
                let far = far + u32::from(!is_free);
                let known = &mut self.reached[next as usize];
                if known.0 == search && known.1 <= far {
                    continue;
                }
                *known = (search, far, (node, edge));
                match is_free {
                    true => self.queue.push_front((next, far)),
                    false => self.queue.push_back((next, far)),
                }
            }
        }
        None
    }

    /// A short cycle through one of these nodes, of which at least the first has one: the shortest if the
    /// budget lasts.
    pub fn shortest_cycle<I: Iterator<Item = (Option<Edge>, u32)>>(
        &mut self,
        through: impl Iterator<Item = u32>,
        is_free: impl Fn(u32) -> bool,
        successors: impl Fn(u32) -> I,
    ) -> Option<Vec<Hop>> {
        let mut best: Option<Vec<Hop>> = None;
        for node in through {
            let hops = self.shortest(node, node, &is_free, &successors);
            if let Some(hops) = hops
                && best.as_ref().is_none_or(|best| length(&hops, &is_free) < length(best, &is_free))
            {
                best = Some(hops);
            }
            if self.budget == 0 || best.as_ref().is_some_and(|best| length(best, &is_free) == 2) {
                break;
            }
        }
        best
    }

    fn back(&self, from: u32, to: u32) -> Vec<Hop> {
        let mut hops = Vec::new();
        let mut at = to;
        loop {
            let (_, _, hop) = self.reached[at as usize];
            hops.push(hop);
            at = hop.0;
            if at == from {
                hops.reverse();
                return hops;
            }
        }
    }
}

/// How many hops of a path count.
pub(crate) fn length(hops: &[Hop], is_free: impl Fn(u32) -> bool) -> usize {
    hops.iter().filter(|(from, kind)| !is_free(*from) && kind.is_some()).count()
}
