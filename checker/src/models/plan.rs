//! What a search can know of a history before it walks through it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Model, Timed};

/// What is known before the walk.
pub(super) struct Plan {
    /// Position, whether it is a completion, operation; invocations first where positions are equal.
    pub events: Vec<(u64, bool, usize)>,
    /// The class of each operation but reads: equal ones have the same. Those of crashed operations
    /// come first.
    pub classes: Vec<usize>,
    /// An operation of each class.
    pub examples: Vec<usize>,
    /// By operation.
    pub is_read: Vec<bool>,
    /// How many operations that complete are open at once, at most.
    pub most_open: usize,
}

impl Plan {
    pub fn new<M: Model>(model: &M, ops: &[Timed<M::Op>]) -> Plan {
        let is_read: Vec<bool> = ops.iter().map(|op| model.is_read(&op.op)).collect();
        let (reads, crashed): (Vec<usize>, Vec<usize>) =
            (0..ops.len()).filter(|op| ops[*op].returned.is_none()).partition(|op| is_read[*op]);
        let left_out: FxHashSet<usize> =
            model.needless(ops, &crashed).into_iter().chain(reads).collect();
        let mut events = Vec::with_capacity(2 * ops.len());
        for (at, op) in ops.iter().enumerate() {
            if left_out.contains(&at) {
                continue;
            }
            events.push((op.invoked, false, at));
            events.extend(op.returned.map(|returned| (returned, true, at)));
        }
        events.sort_unstable();
        let (mut open, mut most_open) = (0_usize, 0);
        for &(_, is_completion, op) in &events {
            match (is_completion, ops[op].returned) {
                (false, Some(_)) => open += 1,
                (true, _) => open -= 1,
                (false, None) => {}
            }
            most_open = open.max(most_open);
        }
        let mut order: Vec<usize> = (0..ops.len()).filter(|op| !is_read[*op]).collect();
        order.sort_by_key(|op| ops[*op].returned.is_some());
        let mut ids: FxHashMap<&M::Op, usize> = FxHashMap::default();
        let (mut classes, mut examples) = (vec![0; ops.len()], Vec::new());
        for op in order {
            classes[op] = *ids.entry(&ops[op].op).or_insert_with(|| {
                examples.push(op);
                examples.len() - 1
            });
        }
        Plan { events, classes, examples, is_read, most_open }
    }

    /// The crashed operations of each class that may take effect, in the order of invocation.
    pub fn crashed<Op>(&self, ops: &[Timed<Op>]) -> Vec<std::vec::IntoIter<usize>> {
        let mut crashed = vec![Vec::new(); self.examples.len()];
        for &(_, is_completion, op) in &self.events {
            if !is_completion && ops[op].returned.is_none() {
                crashed[self.classes[op]].push(op);
            }
        }
        crashed.into_iter().map(Vec::into_iter).collect()
    }
}
