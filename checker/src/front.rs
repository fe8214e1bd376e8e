//! Linearizability of one register by keeping every reachable configuration (Wing and Gong 1993,
//! walked event by event as in Lowe 2017). Exact and plain; its cost is exponential in the number
//! of operations that are open at once, which the budget bounds.

use rustc_hash::FxHashSet;

/// A value of one register, numbered by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Returned this value.
    Read(ValueId),
    /// Put this value in.
    Write(ValueId),
    /// Found the first value and replaced it by the second.
    Cas(ValueId, ValueId),
}

/// One operation; positions are those of its events in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterOp {
    /// What it did.
    pub call: Call,
    /// Where it began.
    pub invoked: u64,
    /// Where it ended; `None` if it may take effect at any later time, or never.
    pub returned: Option<u64>,
}

/// What a check may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Configurations.
    pub configurations: u64,
}

impl Default for Budget {
    /// A few million configurations: seconds, and less than 1 GiB.
    fn default() -> Budget {
        Budget { configurations: 3_000_000 }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Some order explains every answer.
    Linearizable,
    /// None does.
    NotLinearizable {
        /// Operations that no order explains.
        witness: Vec<usize>,
    },
    /// The budget ended.
    #[non_exhaustive]
    Exhausted {
        /// Configurations that were looked at.
        explored: u64,
    },
}

/// A value, and which of the open operations have taken effect, in ascending order.
type Configuration = (ValueId, Vec<usize>);

/// Decides whether the operations are linearizable.
pub fn check_register(initial: ValueId, ops: &[RegisterOp], budget: &Budget) -> Outcome {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * ops.len());
    for (at, op) in ops.iter().enumerate() {
        events.push((op.invoked, false, at));
        events.extend(op.returned.map(|returned| (returned, true, at)));
    }
    events.sort_unstable();
    let mut front: FxHashSet<Configuration> = FxHashSet::from_iter([(initial, Vec::new())]);
    let mut open: Vec<usize> = Vec::new();
    let mut explored = 0;
    for (_, returns, op) in events {
        if !returns {
            open.push(op);
            continue;
        }
        let mut reached = front.clone();
        let mut todo: Vec<Configuration> = front.into_iter().collect();
        while let Some((value, done)) = todo.pop() {
            explored += 1;
            if explored > budget.configurations {
                return Outcome::Exhausted { explored };
            }
            if done.contains(&op) {
                continue;
            }
            for next in open.iter().filter(|next| !done.contains(next)) {
                let Some(value) = after(value, ops[*next].call) else { continue };
                let mut done = done.clone();
                done.insert(done.partition_point(|other| other < next), *next);
                if reached.insert((value, done.clone())) {
                    todo.push((value, done));
                }
            }
        }
        open.retain(|other| *other != op);
        front = reached
            .into_iter()
            .filter(|(_, done)| done.contains(&op))
            .map(|(value, done)| (value, done.into_iter().filter(|other| *other != op).collect()))
            .collect();
        if front.is_empty() {
            let returned = ops[op].returned;
            let before = |at: &usize| Some(ops[*at].invoked) <= returned;
            return Outcome::NotLinearizable { witness: (0..ops.len()).filter(before).collect() };
        }
    }
    Outcome::Linearizable
}

/// The value after a call, if the call is possible.
fn after(value: ValueId, call: Call) -> Option<ValueId> {
    match call {
        Call::Read(expected) => (expected == value).then_some(value),
        Call::Write(new) => Some(new),
        Call::Cas(old, new) => (old == value).then_some(new),
    }
}
