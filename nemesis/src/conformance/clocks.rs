//! Wrong clocks, as the nodes' programs see them.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Case, Witness, healed, installed};
use crate::Nemesis;
use crate::clock::{Deviation, Reading};
use crate::faults::{Action, Break};
use crate::node::{Capability, Cluster};

/// The cases, in the order in which they are run. Where there are no clocks they say so loudly.
pub(super) const CASES: &[(&str, Case)] = &[
    ("a skewed clock is wrong by as much as asked", |cluster, witness| {
        for by_s in [3_600, -3_600] {
            let skew = Deviation { offset_ns: by_s * SECOND_NS, ..Deviation::default() };
            let seen = wrong(cluster, witness, skew, 3);
            assert!(seen.iter().all(|ahead_ns| ahead_ns.abs_diff(by_s * SECOND_NS) < CLOSE_NS));
        }
    }),
    ("a drifting clock is ever more wrong", |cluster, witness| {
        let drift = Deviation { drift_ppm: 100_000, ..Deviation::default() };
        let seen = wrong(cluster, witness, drift, 20);
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        let grown = seen.last().zip(seen.first()).map_or(0, |(last, first)| last - first);
        // A tenth of 19 waits of 10 ms, at least.
        assert!(seen.is_empty() || grown > 19_000_000, "{grown} ns");
    }),
    ("a jumping clock jumps again and again", |cluster, witness| {
        let jump_ns = SECOND_NS;
        let jump = Deviation { jump_ns, jump_every_ns: 50_000_000, ..Deviation::default() };
        let mut seen = wrong(cluster, witness, jump, 20);
        seen.iter_mut().for_each(|ahead_ns| *ahead_ns = (*ahead_ns + jump_ns / 2) / jump_ns);
        let sorted = seen.is_sorted();
        seen.dedup();
        assert!(seen.is_empty() || sorted && seen.len() >= 4, "jumps by now: {seen:?}");
    }),
    ("a strobing clock goes to and fro", |cluster, witness| {
        let period_ns = 25_000_000;
        let strobe = Deviation {
            strobe_ns: -SECOND_NS,
            strobe_period_ns: period_ns,
            ..Deviation::default()
        };
        let seen = wrong(cluster, witness, strobe, 30);
        let wrong = seen.iter().filter(|ahead_ns| ahead_ns.abs_diff(-SECOND_NS) < CLOSE_NS).count();
        let right = seen.iter().filter(|ahead_ns| ahead_ns.unsigned_abs() < CLOSE_NS).count();
        assert!(seen.is_empty() || wrong > 3 && right > 3, "{wrong} wrong, {right} right");
        assert_eq!(wrong + right, seen.len(), "nothing between: {seen:?}");
    }),
    ("deviations add up and end one by one", add_up),
];

const SECOND_NS: i64 = 1_000_000_000;
const CLOSE_NS: u64 = 5_000_000;
/// A program may be interrupted between its looks at the clocks; then it has seen nothing exactly.
const LOOK_NS: i64 = 200_000;
const BAD: usize = 2;
const GOOD: usize = 3;

fn missing(cluster: &Arc<dyn Cluster>) -> bool {
    let missing = !cluster.has(Capability::Clocks);
    if missing {
        eprintln!("SKIPPED: {}", cluster.lacks(Capability::Clocks));
    }
    missing
}

fn look(witness: &dyn Witness, node: usize) -> Reading {
    witness.clock(node).unwrap_or_else(|| panic!("node {node} tells no time"))
}

#[track_caller]
fn is_right(witness: &dyn Witness, node: usize, when: &str) {
    let reading = look(witness, node);
    assert!(reading.fits(&Deviation::default()), "{when}: {reading:?}");
}

fn clock(deviation: Deviation) -> Action {
    Action::nodes(Break::Clock(deviation), vec![BAD])
}

/// How much ahead the clock of a node is with this deviation, a few times, 10 ms apart; nothing if
/// there are no clocks to be had.
#[track_caller]
fn wrong(
    cluster: &Arc<dyn Cluster>,
    witness: &dyn Witness,
    deviation: Deviation,
    times: usize,
) -> Vec<i64> {
    if missing(cluster) {
        return Vec::new();
    }
    let mut nemesis = Nemesis::new(cluster.clone());
    is_right(witness, BAD, "before");
    installed(&nemesis.install(1, &clock(deviation)));
    let seen = (0..times).map(|_| {
        thread::sleep(Duration::from_millis(10));
        is_right(witness, GOOD, "at another node");
        loop {
            let Reading { before_ns, told_ns, after_ns } = look(witness, BAD);
            if after_ns - before_ns < LOOK_NS {
                return told_ns - before_ns.midpoint(after_ns);
            }
        }
    });
    let seen = seen.collect();
    assert_eq!(nemesis.still_in_force(1), Ok(()));
    healed(&nemesis.undo(1));
    is_right(witness, BAD, "after");
    seen
}

fn add_up(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let skew = |seconds| Deviation { offset_ns: seconds * SECOND_NS, ..Deviation::default() };
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &clock(skew(100))));
    installed(&nemesis.install(2, &clock(skew(-30))));
    assert!(look(witness, BAD).fits(&skew(70)));
    healed(&nemesis.undo(1));
    assert!(look(witness, BAD).fits(&skew(-30)));
    // A node that starts anew has the same wrong clock.
    installed(&nemesis.install(3, &Action::nodes(Break::Kill, vec![BAD])));
    healed(&nemesis.undo(3));
    super::lives(cluster.as_ref(), witness);
    assert!(look(witness, BAD).fits(&skew(-30)));
    healed(&nemesis.undo(2));
    is_right(witness, BAD, "after both");
}
