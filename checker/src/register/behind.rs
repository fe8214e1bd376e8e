//! How far behind stale reads are.

use super::anomalies::{StaleRead, stale_reads};
use super::prepare::Register;

/// A stale read and how far it is behind. Both are lower bounds (Bailis et al. 2012: t-visibility
/// and k-staleness): the system may have committed newer writes before it acknowledged them.
#[derive(Clone, Copy)]
pub(crate) struct Behind<'h> {
    pub read: StaleRead<'h>,
    /// From the first acknowledgement of a newer write to the read's invocation, in nanoseconds.
    pub age_ns: u64,
    /// The longest chain of newer writes, each invoked after the one before was acknowledged.
    pub versions: u32,
}

/// Every stale read of a register, in the order of invocation.
pub(crate) fn behind<'h>(register: &Register<'h>) -> Vec<Behind<'h>> {
    let stale = stale_reads(register);
    if stale.is_empty() {
        return Vec::new();
    }
    let chains = Chains::of(register);
    let behind = |read: StaleRead<'h>| {
        let acknowledged_ns = read.newer.operation.completed().map_or(0, |at| at.time_ns);
        let age_ns = read.seen.operation.invoked.time_ns.saturating_sub(acknowledged_ns);
        let versions = chains.length(read.newer.invoked, read.seen.invoked);
        Behind { read, age_ns, versions }
    };
    stale.into_iter().map(behind).collect()
}

/// The greedy chains of writes: after each the one that is acknowledged first of those invoked
/// after its acknowledgement. They form a forest, in which a chain up to a moment is counted in
/// O(log n) steps by jumps (Myers 1983).
struct Chains {
    /// Where each acknowledged or open write was invoked, in order.
    invoked: Vec<u64>,
    /// Where each was acknowledged; the largest number if it was not.
    acknowledged: Vec<u64>,
    /// The next of the chain; itself for the last.
    next: Vec<u32>,
    /// Some write further down the chain.
    jump: Vec<u32>,
    /// How many follow.
    depth: Vec<u32>,
}

impl Chains {
    fn of(register: &Register<'_>) -> Chains {
        let attempts = &register.attempts;
        let invoked: Vec<u64> = attempts.iter().map(|attempt| attempt.invoked).collect();
        let acknowledged: Vec<u64> =
            attempts.iter().map(|attempt| attempt.acknowledged.unwrap_or(u64::MAX)).collect();
        let count = attempts.len();
        let (mut next, mut jump, mut depth) = (vec![0; count], vec![0; count], vec![0; count]);
        // At each position: of the writes from there on the one that was acknowledged first.
        let mut first_from: Vec<u32> = vec![u32::MAX; count + 1];
        for at in (0..count).rev() {
            let first = first_from[at + 1];
            let is_first = acknowledged[at] != u64::MAX
                && (first == u32::MAX || acknowledged[at] < acknowledged[first as usize]);
            first_from[at] = if is_first { at as u32 } else { first };
            let after = invoked.partition_point(|invoked| *invoked < acknowledged[at]);
            let follower = first_from[after.max(at + 1).min(count)];
            if follower == u32::MAX {
                (next[at], jump[at]) = (at as u32, at as u32);
                continue;
            }
            let skip = jump[follower as usize];
            let same = depth[follower as usize] - depth[skip as usize]
                == depth[skip as usize] - depth[jump[skip as usize] as usize];
            next[at] = follower;
            jump[at] = if same { jump[skip as usize] } else { follower };
            depth[at] = depth[follower as usize] + 1;
        }
        Chains { invoked, acknowledged, next, jump, depth }
    }

    /// How many writes of the chain that begins with the one invoked at a position were
    /// acknowledged before another.
    fn length(&self, first: u64, before: u64) -> u32 {
        let Ok(first) = self.invoked.binary_search(&first) else { return 0 };
        let in_time = |at: u32| self.acknowledged[at as usize] < before;
        let mut at = first as u32;
        if !in_time(at) {
            return 0;
        }
        loop {
            let (next, jump) = (self.next[at as usize], self.jump[at as usize]);
            if jump != at && in_time(jump) {
                at = jump;
            } else if next != at && in_time(next) {
                at = next;
            } else {
                return self.depth[first] - self.depth[at as usize] + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Datum, History};
    use crate::register::{Reading, registers};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// A history of writes, each a process of its own that was invoked and acknowledged at its
    /// places among 40, and what the chains make of it.
    fn register_of<T>(writes: &[(u64, u64)], then: impl Fn(&Register<'_>) -> T) -> T {
        let mut lines: Vec<(u64, Value)> = Vec::new();
        for ((at, length), process) in writes.iter().zip(0_u64..) {
            let line = |kind: &str| json!({"type": kind, "process": process, "f": "write", "value": process});
            lines.push((at * 1_000 + process, line("invoke")));
            lines.push(((at + length) * 1_000 + 500 + process, line("ok")));
        }
        lines.sort_by_key(|(at, _)| *at);
        let text: Vec<String> = lines.iter().map(|(_, line)| line.to_string()).collect();
        let history = History::read(text.join("\n").as_bytes()).expect("a history");
        let reading =
            Reading { initial: Datum::null().clone(), nil_reads_any: false, before_index: None };
        let Ok(registers) = registers(&history, &reading) else { panic!("only writes") };
        then(&registers[0])
    }

    proptest! {
        /// The longest chain is what trying them all finds, up to any moment.
        #[test]
        fn chains_are_as_long_as_the_longest(
            writes in prop::collection::vec((0..40_u64, 0..12_u64), 1..24),
        ) {
            register_of(&writes, |register| {
                let spans: Vec<(u64, u64)> = register
                    .attempts
                    .iter()
                    .map(|one| (one.invoked, one.acknowledged.expect("all are")))
                    .collect();
                fn longest(spans: &[(u64, u64)], after: u64, before: u64) -> u32 {
                    let fits = |one: &&(u64, u64)| one.0 >= after && one.1 < before;
                    let chains = spans.iter().filter(fits).map(|one| 1 + longest(spans, one.1, before));
                    chains.max().unwrap_or(0)
                }
                let chains = Chains::of(register);
                for after in [0, spans.len() as u64 / 2, spans.len() as u64] {
                    for before in (after..=2 * spans.len() as u64).step_by(5) {
                        // As a stale read does, begin with the one that was acknowledged first.
                        let begun = spans.iter().filter(|one| one.0 >= after);
                        let Some(first) = begun.min_by_key(|one| one.1) else { continue };
                        assert_eq!(chains.length(first.0, before), longest(&spans, after, before));
                    }
                }
            });
        }
    }
}
