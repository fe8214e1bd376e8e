//! The order of the versions of registers, as far as every explanation has to agree on it.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::components::components;
use super::graph::Edge;
use super::material::NONE;
use super::path::Paths;
use super::register_reads::Registers;
use super::saturate::Past;
use super::trusted::Trusted;

/// How many pairs may be followed for the shortest cycle of one key.
const CYCLE_EDGES_MOST: u64 = 1_000_000;

/// Who wrote a version of a key, and who a later one; what follows from others need not be there.
pub(crate) struct VersionOrder {
    /// Key, before and after, in order.
    pairs: Vec<(u32, u32, u32)>,
    /// Where the pairs of each key begin, and the end of all.
    starts: Vec<u32>,
    /// Keys for which there is no such order, each with versions by who wrote them of which each has to come
    /// before the next, and the last before the first. What says so is not among the pairs.
    pub cycles: Vec<Cyclic>,
}

/// A key, and versions of it by who wrote them.
pub(crate) type Cyclic = (u32, Vec<u32>);

impl VersionOrder {
    /// What follows for explanations that keep some orders, where `past` says what comes before what by them
    /// and by what was read; without it, from reads alone.
    pub fn of(registers: &Registers, past: Option<&Past<'_>>, trusted: &Trusted) -> VersionOrder {
        let mut pairs = trusted.pairs.clone();
        // Who reads a version and writes the key makes a later one.
        for read in registers.reads.iter().filter(|read| read.writer != NONE) {
            if registers.wrote(read.reader, read.key) {
                pairs.push((read.key, read.writer, read.reader));
            }
        }
        if let Some(past) = past {
            // Who writes a key does so after those that come before.
            let of_key = |(key, writers): (u32, &Vec<u32>)| {
                let mut last = Vec::new();
                let mut pairs = Vec::new();
                for writer in writers {
                    past.last_writers(*writer, key, &mut last);
                    pairs.extend(last.iter().map(|before| (key, *before, *writer)));
                }
                pairs
            };
            let keys = 0..registers.writers.len() as u32;
            let by_key = keys.into_par_iter().zip(&registers.writers).map(of_key);
            pairs.extend(by_key.collect::<Vec<_>>().into_iter().flatten());
            for (writer, at) in past.missed(&registers.reads) {
                let read = &registers.reads[at as usize];
                pairs.extend((read.writer != NONE).then_some((read.key, writer, read.writer)));
            }
        }
        pairs.par_sort_unstable();
        pairs.dedup();
        VersionOrder::sorted(pairs, registers.writers.len() as u32)
    }

    /// Of pairs in order on so many keys.
    pub fn sorted(mut pairs: Vec<(u32, u32, u32)>, keys: u32) -> VersionOrder {
        let mut cycles = Vec::new();
        let mut cyclic = FxHashSet::default();
        for of_key in pairs.chunk_by(|one, other| one.0 == other.0) {
            cycle_of(of_key, &mut cycles, &mut cyclic);
        }
        if !cyclic.is_empty() {
            pairs.retain(|pair| !cyclic.contains(pair));
        }
        let keys = 0..=keys;
        let starts = keys.map(|key| pairs.partition_point(|pair| pair.0 < key) as u32).collect();
        VersionOrder { pairs, starts, cycles }
    }

    /// Key, before and after.
    pub fn pairs(&self) -> &[(u32, u32, u32)] {
        &self.pairs
    }

    /// Who wrote a later version of a key than a transaction.
    pub fn after(&self, key: u32, before: u32) -> impl Iterator<Item = u32> {
        let range = self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize;
        let of_key = &self.pairs[range];
        let from = of_key.partition_point(|(_, one, _)| *one < before);
        of_key[from..].iter().take_while(move |pair| pair.1 == before).map(|pair| pair.2)
    }
}

/// Finds a short cycle in the pairs of one key, which are in order, and all pairs that are on any.
fn cycle_of(
    pairs: &[(u32, u32, u32)],
    cycles: &mut Vec<Cyclic>,
    cyclic: &mut FxHashSet<(u32, u32, u32)>,
) {
    // Where all go on there is none.
    if pairs.iter().all(|(_, before, after)| before < after) {
        return;
    }
    let mut nodes: Vec<u32> = pairs.iter().flat_map(|pair| [pair.1, pair.2]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let place = |one: u32| nodes.partition_point(|node| *node < one);
    let starts: Vec<usize> = nodes
        .iter()
        .map(|node| pairs.partition_point(|pair| pair.1 < *node))
        .chain([pairs.len()])
        .collect();
    let after: Vec<u32> = pairs.iter().map(|pair| place(pair.2) as u32).collect();
    let successors = |at: u32| after[starts[at as usize]..starts[at as usize + 1]].iter().copied();
    let count = nodes.len() as u32;
    let found = components(count, successors);
    let mut of = vec![NONE; nodes.len()];
    for (component, all) in (0..).zip(&found) {
        all.iter().for_each(|at| of[*at as usize] = component);
    }
    let is_cyclic = |pair: &&(u32, u32, u32)| {
        let [one, other] = [pair.1, pair.2].map(|one| of[place(one)]);
        one != NONE && one == other
    };
    cyclic.extend(pairs.iter().filter(is_cyclic));
    let through = found.iter().flatten().copied();
    let hops = |at: u32| successors(at).map(|to| (Some(Edge::Ww), to));
    if let Some(hops) = Paths::new(count, CYCLE_EDGES_MOST).shortest_cycle(through, |_| false, hops)
    {
        let writers = hops.into_iter().map(|(at, _)| nodes[at as usize]).collect();
        cycles.push((pairs[0].0, writers));
    }
}
