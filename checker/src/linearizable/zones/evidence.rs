//! Operations that show why blocks do not fit together, not yet minimal.

use rustc_hash::FxHashMap;

use super::super::ValueId;
use super::{Blocks, NO_OP, Origin, Root};

impl Blocks<'_> {
    /// `from` and the values that grew out of it. A circle is cut off somewhere.
    pub(super) fn path(&self, from: ValueId) -> impl Iterator<Item = ValueId> + '_ {
        let successor = |value: &ValueId| {
            let swap = self.ops.get(self.clusters[value.index()].replaced_by as usize)?;
            swap.call.installs().filter(|&next| self.survey.observable(swap.invoked, next))
        };
        std::iter::successors(Some(from), successor).take(self.clusters.len())
    }

    pub(super) fn operations_of(&self, root: Root) -> Vec<usize> {
        match root {
            Root::Unobserved(op) => vec![op as usize],
            Root::Value(value) => self.operations_from(ValueId(value)),
        }
    }

    /// The operations of `root` and of all that grew out of it.
    pub(super) fn operations_from(&self, root: ValueId) -> Vec<usize> {
        let values: Vec<ValueId> = self.path(root).collect();
        let last = self.clusters[values[values.len() - 1].index()].replaced_by;
        let mut operations = self.operations_on(&values);
        operations.extend(Some(last as usize).filter(|_| last != NO_OP));
        operations
    }

    pub(super) fn operations_up_to(&self, root: ValueId, value: ValueId) -> Vec<usize> {
        let before: Vec<ValueId> = self.path(root).take_while(|&at| at != value).collect();
        self.operations_on(&[before, vec![value]].concat())
    }

    /// The writer of each value, its read that completed first and its read that began last.
    pub(super) fn operations_on(&self, values: &[ValueId]) -> Vec<usize> {
        let mut reads: FxHashMap<ValueId, Option<(usize, usize)>> =
            values.iter().map(|&value| (value, None)).collect();
        let mut operations = Vec::new();
        for (index, op) in self.ops.iter().enumerate().filter(|(_, op)| self.survey.matters(op)) {
            if let Some(value) = op.call.installs() {
                if reads.contains_key(&value) && self.survey.observable(op.invoked, value) {
                    operations.push(index);
                }
            } else if let Some(found) = op.call.expects().and_then(|value| reads.get_mut(&value)) {
                let (first, last) = found.get_or_insert((index, index));
                if op.deadline() < self.ops[*first].deadline() {
                    *first = index;
                }
                if op.invoked > self.ops[*last].invoked {
                    *last = index;
                }
            }
        }
        operations.extend(reads.values().flatten().flat_map(|&(first, last)| [first, last]));
        operations
    }

    pub(super) fn operations_in_a_circle(&self) -> Vec<usize> {
        let mut rooted = vec![false; self.clusters.len()];
        for root in 0..self.clusters.len() {
            if self.clusters[root].origin == Origin::Blind {
                self.path(ValueId(root as u32)).for_each(|value| rooted[value.index()] = true);
            }
        }
        let start = (0..rooted.len())
            .find(|&value| !rooted[value] && self.clusters[value].origin == Origin::Swapped)
            .expect("a compare-and-set outside of all blocks installs a value outside of them");
        self.operations_from(ValueId(start as u32))
    }
}
