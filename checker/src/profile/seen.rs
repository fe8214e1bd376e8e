//! What registers show of staleness, divergence and loss.

use rayon::prelude::*;

use super::rounds::{KeyRounds, rounds};
use crate::convergence::{Agreement, Convergence};
use crate::history::{KeyId, Moment, NodeId};
use crate::register::{Behind, Register, behind, lost_writes};

/// What registers show.
pub(crate) struct Seen {
    /// In no particular order.
    pub stale: Vec<Stale>,
    /// Of each key that has any.
    pub rounds: Vec<KeyRounds>,
    pub written_once: WrittenOnce,
    /// Why nothing is known of loss, if so.
    pub not_read_back: Option<String>,
    /// Acknowledged writes that did not survive, in the order of their acknowledgement.
    pub lost: Vec<Lost>,
}

/// A stale read.
pub(crate) struct Stale {
    pub due_ns: u64,
    pub node: Option<NodeId>,
    pub age_ns: u64,
    pub versions: u32,
}

/// An acknowledged write that did not survive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost {
    pub key: KeyId,
    pub acknowledged: Moment,
    /// Whether it was the only write of its key.
    pub only: bool,
}

/// Acknowledged writes that were the only ones of their keys: nothing can have replaced them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WrittenOnce {
    pub acknowledged: u64,
    /// Not read back at every node, or not the same at all of them.
    pub undecided: u64,
}

impl Seen {
    /// What all registers show together. `may_be_stale` says for each of them whether it may have
    /// stale reads at all.
    pub fn of(
        registers: &[Register<'_>],
        may_be_stale: &[bool],
        convergence: &Convergence<'_>,
    ) -> Seen {
        let each = registers.par_iter().zip(may_be_stale).map(|(register, may_be_stale)| {
            let stale = if *may_be_stale { stale(register) } else { Vec::new() };
            (stale, rounds(register))
        });
        let each: Vec<_> = each.collect();
        let (mut all_stale, mut all_rounds) = (Vec::new(), Vec::new());
        for (stale, rounds) in each {
            all_stale.extend(stale);
            all_rounds.extend(rounds);
        }
        let mut seen = Seen {
            stale: all_stale,
            rounds: all_rounds,
            written_once: WrittenOnce::default(),
            not_read_back: if convergence.keys.is_empty() {
                convergence.verdict.reason().map(str::to_owned)
            } else {
                None
            },
            lost: Vec::new(),
        };
        for (key, agreement) in &convergence.keys {
            seen.read_back(&registers[key.0 as usize], agreement, convergence.final_index);
        }
        seen.lost.sort_by_key(|lost| lost.acknowledged);
        seen
    }

    fn read_back(&mut self, register: &Register<'_>, agreement: &Agreement<'_>, final_index: u64) {
        let in_time = |at: Option<u64>| at.is_some_and(|at| at < final_index);
        let mut attempts = register.possible_attempts();
        let only = attempts.next().filter(|only| only.old.is_none() && attempts.next().is_none());
        let only = only.filter(|only| in_time(only.acknowledged)).is_some();
        self.written_once.acknowledged += u64::from(only);
        let Agreement::Agreed(read) = agreement else {
            self.written_once.undecided += u64::from(only);
            return;
        };
        for lost in lost_writes(register, read.result(), final_index) {
            if let Some(acknowledged) = lost.lost.operation.completed() {
                self.lost.push(Lost { key: register.key, acknowledged, only });
            }
        }
    }
}

fn stale(register: &Register<'_>) -> Vec<Stale> {
    let stale = |behind: Behind<'_>| {
        let operation = behind.read.seen.operation;
        Stale {
            due_ns: operation.due_ns,
            node: operation.node(),
            age_ns: behind.age_ns,
            versions: behind.versions,
        }
    };
    let of_reads = |behind: &Behind<'_>| behind.read.seen.operation.is_read();
    behind(register).into_iter().filter(of_reads).map(stale).collect()
}
