//! Strongly connected components (Tarjan 1972) without recursion: histories are long.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// All components of more than one node, each in the order of its numbers. What leads to the node itself
/// is not looked at.
pub(crate) fn components<I: Iterator<Item = u32>>(
    nodes: u32,
    successors: impl Fn(u32) -> I,
) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = 0;
    const DONE: u32 = u32::MAX;
    // When it was reached, from 1; afterwards the earliest that it leads back to.
    let mut low = vec![UNSEEN; nodes as usize];
    let mut reached = 0;
    let mut open: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, u32, I)> = Vec::new();
    let mut found = Vec::new();
    for root in 0..nodes {
        if low[root as usize] != UNSEEN {
            continue;
        }
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                reached += 1;
                low[node as usize] = reached;
                open.push(node);
                path.push((node, reached, successors(node)));
            }
            let Some((node, first, rest)) = path.last_mut() else { break };
            let (node, first) = (*node, *first);
            for next in rest.by_ref() {
                match low[next as usize] {
                    UNSEEN => {
                        enter = Some(next);
                        break;
                    }
                    DONE => {}
                    earlier => low[node as usize] = low[node as usize].min(earlier),
                }
            }
            if enter.is_some() {
                continue;
            }
            path.pop();
            let least = low[node as usize];
            if let Some((parent, ..)) = path.last() {
                low[*parent as usize] = low[*parent as usize].min(least);
            }
            if least == first {
                let begins = open.iter().rposition(|one| *one == node).unwrap_or_default();
                open[begins..].iter().for_each(|one| low[*one as usize] = DONE);
                if open.len() - begins > 1 {
                    let mut component = open.split_off(begins);
                    component.sort_unstable();
                    found.push(component);
                } else {
                    open.truncate(begins);
                }
            }
        }
    }
    found
}

/// How much leads to each node.
fn degrees<I: Iterator<Item = u32>>(nodes: u32, successors: impl Fn(u32) -> I) -> Vec<u32> {
    let mut degrees = vec![0_u32; nodes as usize];
    (0..nodes).flat_map(successors).for_each(|to| degrees[to as usize] += 1);
    degrees
}

/// Any order in which nothing leads to what comes before it; `None` if there is none.
pub(crate) fn acyclic_order<I: Iterator<Item = u32>>(
    nodes: u32,
    successors: impl Fn(u32) -> I,
) -> Option<Vec<u32>> {
    let mut left = degrees(nodes, &successors);
    let mut order: Vec<u32> = (0..nodes).filter(|node| left[*node as usize] == 0).collect();
    let mut at = 0;
    while let Some(node) = order.get(at).copied() {
        at += 1;
        for to in successors(node) {
            left[to as usize] -= 1;
            if left[to as usize] == 0 {
                order.push(to);
            }
        }
    }
    (order.len() == nodes as usize).then_some(order)
}

/// An order in which nothing leads to what comes before it; `None` if there is none. Of those that may come
/// next the least one does.
pub(crate) fn topological<I: Iterator<Item = u32>>(
    nodes: u32,
    successors: impl Fn(u32) -> I,
) -> Option<Vec<u32>> {
    let mut left = degrees(nodes, &successors);
    let free = (0..nodes).filter(|node| left[*node as usize] == 0).map(Reverse);
    let mut free: BinaryHeap<Reverse<u32>> = free.collect();
    let mut order = Vec::with_capacity(nodes as usize);
    while let Some(Reverse(node)) = free.pop() {
        order.push(node);
        for to in successors(node) {
            left[to as usize] -= 1;
            if left[to as usize] == 0 {
                free.push(Reverse(to));
            }
        }
    }
    (order.len() == nodes as usize).then_some(order)
}

#[cfg(test)]
mod tests {
    use petgraph::algo::tarjan_scc;
    use petgraph::graph::DiGraph;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_petgraphs(edges in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)) {
            let successors = |node| {
                let to: Vec<u32> = edges.iter().filter(|(a, _)| *a == node).map(|(_, b)| *b).collect();
                to.into_iter()
            };
            let mut found = components(12, successors);
            let mut graph = DiGraph::<(), ()>::new();
            for _ in 0..12 {
                graph.add_node(());
            }
            graph.extend_with_edges(&edges);
            let mut expected: Vec<Vec<u32>> = tarjan_scc(&graph)
                .into_iter()
                .map(|part| part.into_iter().map(|node| node.index() as u32).collect())
                .filter(|part: &Vec<u32>| part.len() > 1)
                .collect();
            expected.iter_mut().for_each(|part| part.sort_unstable());
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
