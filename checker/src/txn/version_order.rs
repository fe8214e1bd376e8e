//! The order of the versions of registers, as far as every explanation has to agree on it.

use rayon::prelude::*;

use super::graph::Kinds;
use super::material::NONE;
use super::register_reads::Registers;
use super::saturate::Past;

/// Who wrote a version of a key, and who a later one; what follows from others need not be there.
pub(crate) struct VersionOrder {
    /// Key, before and after, in order.
    pairs: Vec<(u32, u32, u32)>,
    /// Where the pairs of each key begin, and the end of all.
    starts: Vec<u32>,
}

impl VersionOrder {
    /// What follows for explanations that keep these orders, where `past` says what comes before what by them
    /// and by what was read.
    pub fn of(registers: &Registers, past: Option<&Past<'_>>, with: Kinds) -> VersionOrder {
        let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
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
            if with != Kinds::of(&[]) {
                for (writer, at) in past.missed(&registers.reads) {
                    let read = &registers.reads[at as usize];
                    pairs.extend((read.writer != NONE).then_some((read.key, writer, read.writer)));
                }
            }
        }
        pairs.par_sort_unstable();
        pairs.dedup();
        let keys = 0..=registers.writers.len() as u32;
        let starts = keys.map(|key| pairs.partition_point(|pair| pair.0 < key) as u32).collect();
        VersionOrder { pairs, starts }
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
