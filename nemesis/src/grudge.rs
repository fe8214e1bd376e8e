//! Who drops whom: the shapes of network partitions, as pure functions of a number of nodes.
//!
//! A shape with *sides* cuts every link between them in both directions; the others (ring, bridge,
//! one-way) leave no sides, because a node then sees more than its own side.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use serde::Serialize;

use crate::node::Link;

/// A set of links to cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grudge {
    /// The links that are cut, ordered, each once.
    pub cuts: Vec<Link>,
    /// The groups of nodes that keep seeing each other both ways and nobody else, smallest first;
    /// `None` where the shape leaves no such groups.
    pub sides: Option<Vec<Vec<usize>>>,
}

impl Grudge {
    /// Cuts every link between two different sides. Each node is on exactly one of them.
    pub fn between(mut sides: Vec<Vec<usize>>) -> Grudge {
        sides.retain(|side| !side.is_empty());
        sides.iter_mut().for_each(|side| side.sort_unstable());
        sides.sort_by_key(|side| (side.len(), side[0]));
        let mut side_of = vec![0; sides.iter().map(Vec::len).sum()];
        for (number, side) in sides.iter().enumerate() {
            side.iter().for_each(|node| side_of[*node] = number);
        }
        let cuts = Link::all(side_of.len())
            .filter(|link| side_of[link.from] != side_of[link.to])
            .collect();
        Grudge { cuts, sides: Some(sides) }
    }

    /// Cuts the links for which `cut` holds, and names no sides.
    fn without_sides(nodes: usize, cut: impl Fn(Link) -> bool) -> Grudge {
        Grudge { cuts: Link::all(nodes).filter(|link| cut(*link)).collect(), sides: None }
    }

    /// The nodes in order, cut in two halves; of an odd number the second half has one more and
    /// so a majority. At least 2 nodes.
    pub fn halves(nodes: usize) -> Grudge {
        let mut first: Vec<_> = (0..nodes).collect();
        let second = first.split_off(nodes / 2);
        Grudge::between(vec![first, second])
    }

    /// Two halves as in [`Grudge::halves`], of nodes drawn by lot. At least 2 nodes.
    pub fn random_halves(nodes: usize, rng: &mut impl Rng) -> Grudge {
        let mut first = shuffled(nodes, rng);
        let second = first.split_off(nodes / 2);
        Grudge::between(vec![first, second])
    }

    /// Some nodes drawn by lot, as many as `count` says, against all others. At least 2 nodes.
    pub fn apart(nodes: usize, count: impl Fn(usize) -> usize, rng: &mut impl Rng) -> Grudge {
        let mut first = shuffled(nodes, rng);
        let second = first.split_off(count(nodes));
        Grudge::between(vec![first, second])
    }

    /// Exactly these links.
    pub fn of_links(mut cuts: Vec<Link>) -> Grudge {
        cuts.sort_unstable();
        cuts.dedup();
        Grudge { cuts, sides: None }
    }

    /// What clients send to `deaf` nodes.
    pub fn from_clients(nodes: usize, deaf: &[usize]) -> Grudge {
        Grudge::of_links(deaf.iter().map(|node| Link { from: nodes, to: *node }).collect())
    }

    /// Each of `alone` on a side of its own, the others together.
    pub fn isolate(nodes: usize, alone: &[usize]) -> Grudge {
        let others = (0..nodes).filter(|node| !alone.contains(node)).collect();
        let mut sides: Vec<_> = alone.iter().map(|node| vec![*node]).collect();
        sides.push(others);
        Grudge::between(sides)
    }

    /// Every node sees a majority (itself counted), and no two see the same one: the nodes stand
    /// in a ring, drawn by lot, and each sees as many neighbours on either hand as that takes. At
    /// least 4 nodes; with 3 a majority for each, both ways, is already everybody.
    pub fn majorities_ring(nodes: usize, rng: &mut impl Rng) -> Grudge {
        let neighbours_on_each_hand = (nodes / 2).div_ceil(2);
        let mut place = vec![0; nodes];
        for (at, node) in shuffled(nodes, rng).into_iter().enumerate() {
            place[node] = at;
        }
        Grudge::without_sides(nodes, |link| {
            let apart = place[link.from].abs_diff(place[link.to]);
            apart.min(nodes - apart) > neighbours_on_each_hand
        })
    }

    /// Two halves, drawn by lot, that only `bridge` still sees, both of them. At least 3 nodes.
    pub fn bridge(nodes: usize, bridge: usize, rng: &mut impl Rng) -> Grudge {
        let mut on_first_bank = vec![false; nodes];
        let others = shuffled(nodes, rng).into_iter().filter(|node| *node != bridge);
        others.take((nodes - 1) / 2).for_each(|node| on_first_bank[node] = true);
        Grudge::without_sides(nodes, |link| {
            link.from != bridge
                && link.to != bridge
                && on_first_bank[link.from] != on_first_bank[link.to]
        })
    }

    /// Two halves, drawn by lot, of which one no longer hears the other, but is heard. At least 2
    /// nodes.
    pub fn one_way(nodes: usize, rng: &mut impl Rng) -> Grudge {
        let mut speaks_in_vain = vec![false; nodes];
        let order = shuffled(nodes, rng);
        let first = if rng.random() { nodes / 2 } else { nodes - nodes / 2 };
        order[..first].iter().for_each(|node| speaks_in_vain[*node] = true);
        Grudge::without_sides(nodes, |link| speaks_in_vain[link.from] && !speaks_in_vain[link.to])
    }
}

fn shuffled(nodes: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order: Vec<_> = (0..nodes).collect();
    order.shuffle(rng);
    order
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Whom each node still sees in both directions, itself included.
    fn seen(nodes: usize, grudge: &Grudge) -> Vec<BTreeSet<usize>> {
        let cuts: HashSet<_> = grudge.cuts.iter().map(|cut| (cut.from, cut.to)).collect();
        let open = |a, b| !cuts.contains(&(a, b)) && !cuts.contains(&(b, a));
        (0..nodes).map(|a| (0..nodes).filter(|b| open(a, *b)).collect()).collect()
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Sides are what they claim: everybody on exactly one, and one sees exactly one's own side.
    fn assert_sides(nodes: usize, grudge: &Grudge) {
        let sides = grudge.sides.as_ref().expect("this shape has sides");
        assert_eq!(sides.iter().map(Vec::len).sum::<usize>(), nodes);
        let seen = seen(nodes, grudge);
        for side in sides {
            for node in side {
                assert_eq!(seen[*node], side.iter().copied().collect(), "what {node} sees");
            }
        }
        assert!(sides.is_sorted_by_key(Vec::len));
    }

    proptest! {
        #[test]
        fn halves_are_balanced_and_one_of_an_odd_number_has_a_majority(n in 2usize..=50, seed: u64) {
            for grudge in [Grudge::halves(n), Grudge::random_halves(n, &mut rng(seed))] {
                assert_sides(n, &grudge);
                let sizes: Vec<_> = grudge.sides.unwrap().iter().map(Vec::len).collect();
                prop_assert_eq!(&sizes, &[n / 2, n - n / 2]);
                prop_assert_eq!(2 * sizes[1] > n, n % 2 == 1);
            }
        }

        #[test]
        fn a_part_is_as_large_as_asked(n in 4usize..=50, seed: u64) {
            for (count, part) in [(n / 2 + 1, n - n / 2 - 1), ((n - 1) / 3, (n - 1) / 3)] {
                let grudge = Grudge::apart(n, |_| count, &mut rng(seed));
                assert_sides(n, &grudge);
                prop_assert_eq!(grudge.sides.unwrap()[0].len(), part);
            }
        }

        #[test]
        fn isolated_nodes_see_nobody(n in 2usize..=50, picks in prop::collection::btree_set(0usize..50, 1..5)) {
            let alone: Vec<_> = picks.into_iter().filter(|node| *node < n).collect();
            let grudge = Grudge::isolate(n, &alone);
            assert_sides(n, &grudge);
            let seen = seen(n, &grudge);
            for node in alone {
                prop_assert_eq!(seen[node].len(), 1);
            }
        }

        #[test]
        fn in_a_ring_everybody_sees_a_majority_and_no_two_the_same(n in 4usize..=50, seed: u64) {
            let seen = seen(n, &Grudge::majorities_ring(n, &mut rng(seed)));
            for majority in &seen {
                prop_assert!(2 * majority.len() > n, "{:?} of {}", majority, n);
                prop_assert!(majority.len() < n);
            }
            prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), n);
        }

        #[test]
        fn only_the_bridge_sees_both_sides(n in 3usize..=50, at in 0usize..50, seed: u64) {
            let bridge = at % n;
            let seen = seen(n, &Grudge::bridge(n, bridge, &mut rng(seed)));
            let see_all: Vec<_> = (0..n).filter(|node| seen[*node].len() == n).collect();
            prop_assert_eq!(see_all, [bridge]);
            let mut sizes: Vec<_> = (0..n).filter(|x| *x != bridge).map(|x| seen[x].len() - 1).collect();
            sizes.sort_unstable();
            prop_assert_eq!((sizes[0], sizes[n - 2]), ((n - 1) / 2, (n - 1).div_ceil(2)));
        }

        #[test]
        fn one_way_leaves_every_way_back(n in 2usize..=50, seed: u64) {
            let grudge = Grudge::one_way(n, &mut rng(seed));
            prop_assert_eq!(grudge.cuts.len(), (n / 2) * (n - n / 2));
            let deaf: BTreeSet<_> = grudge.cuts.iter().map(|link| link.to).collect();
            let unheard: BTreeSet<_> = grudge.cuts.iter().map(|link| link.from).collect();
            prop_assert!(deaf.is_disjoint(&unheard), "no link is cut both ways");
        }

        #[test]
        fn the_same_seed_gives_the_same_shape(n in 4usize..=50, seed: u64) {
            let draw = || (
                Grudge::random_halves(n, &mut rng(seed)),
                Grudge::majorities_ring(n, &mut rng(seed)),
                Grudge::one_way(n, &mut rng(seed)),
            );
            prop_assert_eq!(draw(), draw());
        }
    }

    #[test]
    fn two_halves_of_five_are_cut_in_both_directions() {
        let grudge = Grudge::halves(5);
        assert_eq!(grudge.sides, Some(vec![vec![0, 1], vec![2, 3, 4]]));
        assert_eq!(grudge.cuts.len(), 12);
    }

    #[test]
    fn five_in_a_ring_see_three_each() {
        let grudge = Grudge::majorities_ring(5, &mut rng(1));
        assert!(seen(5, &grudge).iter().all(|majority| majority.len() == 3));
        assert_eq!(grudge.sides, None);
    }
}
