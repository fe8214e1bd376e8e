//! What transactions saw of others that they knew of: monotonic atomic view, read atomic, causal
//! (Biswas and Enea, OOPSLA 2019), where the order of the versions is known.
//!
//! Whoever reads a list knows of all transactions that appended to it. A transaction that knows of another
//! one, and finds a key as it was before that wrote to it, breaks monotonic atomic view if it knew of it
//! from an earlier read, read atomic if from any read or from its own session, and causal if it only knew
//! of what knew of it. The two lie on a cycle, so it is enough to look at the transactions of one.

use rustc_hash::FxHashMap;

use super::append::Versions;
use super::cycles::BudgetEnds;
use super::found::{Found, Instance};
use super::graph::{Edge, Graph, Kinds};
use super::material::{Material, NONE};
use crate::history::steps::Action;
use crate::ladder::Rung;

/// How many steps may be taken in one component.
const STEPS_MOST: u64 = 50_000_000;

/// Looks at the transactions of a component; false if the budget ended.
pub(crate) fn look(
    material: &Material<'_>,
    versions: &Versions<'_>,
    graph: &Graph,
    nodes: &[u32],
    found: &mut Found,
) -> bool {
    let transactions = &nodes[..nodes.partition_point(|node| *node < graph.transactions)];
    let component = Component::new(material, versions, graph, transactions);
    let mut steps = STEPS_MOST;
    let mut reached = vec![NONE; transactions.len()];
    for reader in 0..transactions.len() as u32 {
        let missed = match component.earlier(reader).or_else(|| component.known(reader)) {
            Some(missed) => Some(missed),
            None => match component.causal(reader, &mut reached, &mut steps) {
                Ok(missed) => missed,
                Err(BudgetEnds) => return false,
            },
        };
        if let Some((level, key, missed)) = missed {
            let (missed, reader) = (transactions[missed as usize], transactions[reader as usize]);
            found.add(Instance::Missed { level, key, missed, reader });
        }
    }
    true
}

/// Transactions by their positions in the component.
struct Component<'c, 'h> {
    material: &'c Material<'h>,
    versions: &'c Versions<'h>,
    transactions: &'c [u32],
    /// For each one those that appended what it read, by the read's place among its accesses.
    sources: Vec<Vec<(u32, u32)>>,
    /// The one before it in its session.
    before: Vec<u32>,
}

impl<'c, 'h> Component<'c, 'h> {
    fn new(
        material: &'c Material<'h>,
        versions: &'c Versions<'h>,
        graph: &Graph,
        transactions: &'c [u32],
    ) -> Component<'c, 'h> {
        let places: FxHashMap<u32, u32> = transactions.iter().copied().zip(0..).collect();
        let mut before = vec![NONE; transactions.len()];
        for (transaction, at) in transactions.iter().zip(0..) {
            for (_, next) in graph.by(*transaction, Kinds::of(&[Edge::Session])) {
                if let Some(next) = places.get(&next) {
                    before[*next as usize] = at;
                }
            }
        }
        let sources = |at: usize| {
            let transaction = transactions[at];
            let accesses = (0..).zip(material.of_transaction(transaction));
            let read = accesses
                .filter_map(|(at, access)| Some((at, access, versions.count(access)? as usize)));
            let owners = read.flat_map(|(at, access, count)| {
                let elements = versions.of_key(access.key)[..count].iter();
                elements.filter_map(move |one| Some((at, *material.owner.get(*one as usize)?)))
            });
            let other = owners.filter(|(_, owner)| *owner != transaction);
            let mut all: Vec<(u32, u32)> =
                other.filter_map(|(at, owner)| Some((at, *places.get(&owner)?))).collect();
            all.dedup();
            all
        };
        let sources = (0..transactions.len()).map(sources).collect();
        Component { material, versions, transactions, sources, before }
    }

    /// A key of which a transaction did not see what another one appended.
    fn missed(&self, reader: u32, from_access: u32, other: u32) -> Option<u32> {
        let [reader, other] = [reader, other].map(|one| self.transactions[one as usize]);
        let range = self.material.range(other);
        let accesses = &self.material.of_transaction(reader)[from_access as usize..];
        accesses.iter().find_map(|access| {
            let count = self.versions.count(access)?;
            let unseen = |at: &u32| {
                let append = &self.material.accesses[*at as usize];
                append.action == Action::Append
                    && append.key == access.key
                    && self.versions.position[*at as usize] >= count
            };
            range.clone().any(|at| unseen(&at)).then_some(access.key)
        })
    }

    /// What it knew of from an earlier read.
    fn earlier(&self, reader: u32) -> Option<(Rung, u32, u32)> {
        self.sources[reader as usize].iter().find_map(|(at, other)| {
            Some((Rung::MonotonicAtomicView, self.missed(reader, at + 1, *other)?, *other))
        })
    }

    /// What it knew of from any read, or from its session.
    fn known(&self, reader: u32) -> Option<(Rung, u32, u32)> {
        let before = |one: &u32| Some(self.before[*one as usize]).filter(|one| *one != NONE);
        let session = std::iter::successors(before(&reader), before);
        let read = self.sources[reader as usize].iter().map(|(_, other)| *other);
        read.chain(session)
            .find_map(|other| Some((Rung::ReadAtomic, self.missed(reader, 0, other)?, other)))
    }

    /// What is causally before it.
    fn causal(
        &self,
        reader: u32,
        reached: &mut [u32],
        steps: &mut u64,
    ) -> Result<Option<(Rung, u32, u32)>, BudgetEnds> {
        let mut open = vec![reader];
        reached[reader as usize] = reader;
        while let Some(one) = open.pop() {
            if one != reader
                && let Some(key) = self.missed(reader, 0, one)
            {
                return Ok(Some((Rung::Causal, key, one)));
            }
            let read = self.sources[one as usize].iter().map(|(_, other)| *other);
            for next in read.chain([self.before[one as usize]]).filter(|next| *next != NONE) {
                *steps = steps.checked_sub(1).ok_or(BudgetEnds)?;
                if std::mem::replace(&mut reached[next as usize], reader) != reader {
                    open.push(next);
                }
            }
        }
        Ok(None)
    }
}
