//! What is wrong, by its names in the literature.

use super::graph::Edge;
use crate::ladder::Rung;

/// An anomaly with the keys and transactions that show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Instance {
    /// Two reads of which neither is the beginning of the other.
    IncompatibleOrder { key: u32, reads: [u32; 2] },
    /// An element twice in one list.
    Duplicate { key: u32, reader: u32 },
    /// A value that nobody wrote.
    Phantom { key: u32, reader: u32 },
    /// A value of a transaction that certainly did not happen (Adya 1999).
    G1a { key: u32, writer: u32, reader: u32 },
    /// A value that its transaction replaced (Adya 1999).
    G1b { key: u32, writer: u32, reader: u32 },
    /// A transaction on top of one that certainly did not happen.
    DirtyUpdate { key: u32, failed: u32, next: u32 },
    /// A list with a transaction's elements in another order than that in which it appended them.
    Reordered { key: u32, writer: u32, reader: u32 },
    /// A transaction that did not see what it had done or seen itself; `own` if it had done it.
    Internal { key: u32, transaction: u32, own: bool },
    /// A transaction that saw what it was to do later.
    FutureRead { key: u32, transaction: u32 },
    /// Two transactions that read the same version and then wrote another one (Berenson et al. 1995).
    LostUpdate { key: u32, updates: [u32; 2] },
    /// A transaction that saw that another one, or what it saw, had happened, but not what that wrote to a
    /// key. The level is the weakest that this breaks.
    Missed { level: Rung, key: u32, missed: u32, reader: u32 },
    /// Versions of a key, by who wrote them, of which each has to come before the next, and the last before
    /// the first (Kingsbury and Alvaro 2020); `reader`, if there is one, found the key unwritten after the
    /// only one.
    CyclicVersions { key: u32, writers: Vec<u32>, reader: Option<u32>, rules_out: Vec<Rung> },
    /// Transactions that no serial order explains which keeps what the level is to keep (Papadimitriou 1979),
    /// although nothing that is known of each such order is a cycle.
    Unserializable { level: Rung, transactions: Vec<u32> },
    /// Transactions that no snapshots explain (Berenson et al. 1995), the same.
    NoSnapshots { level: Rung, transactions: Vec<u32> },
    /// Transactions that each come before the next, and the last before the first.
    Cycle(Cycle),
}

/// Each transaction with why it comes before the next one; the last comes before the first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cycle {
    pub name: &'static str,
    pub steps: Vec<(u32, Edge)>,
    pub rules_out: Vec<Rung>,
}

impl Instance {
    pub fn name(&self) -> &'static str {
        match self {
            Instance::IncompatibleOrder { .. } | Instance::Reordered { .. } => "incompatible-order",
            Instance::Duplicate { .. } => "duplicate-elements",
            Instance::Phantom { .. } => "phantom-read",
            Instance::G1a { .. } => "G1a",
            Instance::G1b { .. } => "G1b",
            Instance::DirtyUpdate { .. } => "dirty-update",
            Instance::Internal { .. } => "internal",
            Instance::FutureRead { .. } => "future-read",
            Instance::LostUpdate { .. } => "lost-update",
            Instance::Missed { level: Rung::MonotonicAtomicView, .. } => {
                "observed-transaction-vanishes"
            }
            Instance::Missed { level: Rung::ReadAtomic, .. } => "fractured-read",
            Instance::Missed { .. } => "causality-violation",
            Instance::CyclicVersions { .. } => "cyclic-versions",
            Instance::Unserializable { .. } => "unserializable",
            Instance::NoSnapshots { .. } => "no-snapshots",
            Instance::Cycle(cycle) => cycle.name,
        }
    }

    /// The levels that it rules out by itself, the strongest first.
    pub fn rules_out(&self) -> Vec<Rung> {
        use super::levels::{LEVELS, but, with_stronger};
        match self {
            Instance::IncompatibleOrder { .. }
            | Instance::Duplicate { .. }
            | Instance::Phantom { .. } => LEVELS.to_vec(),
            Instance::G1a { .. }
            | Instance::G1b { .. }
            | Instance::Reordered { .. }
            | Instance::DirtyUpdate { .. }
            | Instance::FutureRead { .. }
            | Instance::Internal { own: true, .. } => but(&[Rung::ReadUncommitted]),
            Instance::Internal { own: false, .. } => {
                but(&[Rung::ReadUncommitted, Rung::ReadCommitted, Rung::MonotonicAtomicView])
            }
            Instance::LostUpdate { .. } => but(&[
                Rung::ReadUncommitted,
                Rung::ReadCommitted,
                Rung::MonotonicAtomicView,
                Rung::ReadAtomic,
                Rung::Causal,
            ]),
            // Of single objects, with no predicates, serializable is no more than repeatable read.
            Instance::Unserializable { level: Rung::Serializable, .. } => {
                with_stronger(Rung::RepeatableRead)
            }
            Instance::Missed { level, .. }
            | Instance::Unserializable { level, .. }
            | Instance::NoSnapshots { level, .. } => with_stronger(*level),
            Instance::CyclicVersions { rules_out, .. } => rules_out.clone(),
            Instance::Cycle(cycle) => cycle.rules_out.clone(),
        }
    }
}

/// One instance of each anomaly, and how many there are.
#[derive(Default)]
pub(crate) struct Found(pub Vec<(Instance, u64)>);

impl Found {
    /// Whether something rules a level out.
    pub fn rules_out(&self, level: Rung) -> bool {
        self.0.iter().any(|(instance, _)| instance.rules_out().contains(&level))
    }

    /// Adds one unless all that it rules out is ruled out already.
    pub fn add_new(&mut self, instance: Instance) {
        let known: Vec<Rung> = self.0.iter().flat_map(|(one, _)| one.rules_out()).collect();
        if instance.rules_out().iter().any(|level| !known.contains(level)) {
            self.add(instance);
        }
    }

    /// Adds that the versions of a key can have no order, unless that is known under weaker conditions.
    pub fn add_cyclic(
        &mut self,
        key: u32,
        writers: Vec<u32>,
        reader: Option<u32>,
        rules_out: Vec<Rung>,
    ) {
        let is_known = |(one, _): &(Instance, u64)| matches!(one, Instance::CyclicVersions { rules_out: more, .. } if more.len() > rules_out.len());
        if !self.0.iter().any(is_known) {
            self.add(Instance::CyclicVersions { key, writers, reader, rules_out });
        }
    }

    /// Adds one; of those with the same name and consequences the smallest is kept, and of these the first.
    pub fn add(&mut self, instance: Instance) {
        let alike = |one: &&mut (Instance, u64)| {
            one.0.name() == instance.name() && one.0.rules_out() == instance.rules_out()
        };
        let Some((kept, count)) = self.0.iter_mut().find(|one| alike(one)) else {
            return self.0.push((instance, 1));
        };
        *count += 1;
        if let (Instance::Cycle(old), Instance::Cycle(new)) = (&*kept, &instance)
            && new.steps.len() < old.steps.len()
        {
            *kept = instance;
        }
    }
}
