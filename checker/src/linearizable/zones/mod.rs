//! Registers whose observed values have one possible writer each: zones (Gibbons and Korach,
//! "Testing shared memories", SIAM J. Comput. 1997), extended to compare-and-set, in O(n log n).
//!
//! A *block* is a value written blindly (or the initial one) and all values that grew out of it by
//! compare-and-set, with their readers. Each value has one writer, so the order of a block is
//! fixed: writer, its readers, the compare-and-set that replaces the value, its readers, and so
//! on; and nothing else may come in between. Let `f` be the earliest completion in the block and
//! `s` the latest invocation. If no operation of the block completed before one that must come
//! earlier in the block was invoked, then the block fits into an interval `[x, y]` of time exactly
//! if `x <= f` and `y >= s`: going through the block in its order, put each operation at the
//! maximum of `x` and all invocations so far. (That is at most its own completion, because all
//! those invocations are, and at most `y`.) So a block behaves as the zone of a single value does:
//! if `f < s` it needs all of `[f, s]` ("forward"), otherwise any point of `[s, f]` is enough
//! ("backward"). The history is linearizable iff no two forward zones overlap and no backward zone
//! lies inside a forward zone.
//!
//! An operation of unknown outcome that someone may have observed took effect, as the only writer
//! of its value, with a completion at infinity; all others of unknown outcome are left out.

mod evidence;
mod order;

pub(super) use order::order;

use super::prepare::Survey;
use super::witness::Seed;
use super::{Call, Decision, RegisterOp, ValueId};

const NO_OP: u32 = u32::MAX;

/// When an operation was invoked, one later than in the history: the initial value is older still.
fn invoked(op: &RegisterOp) -> u64 {
    op.invoked + 1
}

/// When an operation completed, on the same scale.
fn completed(op: &RegisterOp) -> u64 {
    op.deadline().saturating_add(1)
}

/// One value with its writer and its readers. Compare-and-set belongs to the value it installs.
#[derive(Clone, Copy)]
struct Cluster {
    writer_invoked: u64,
    writer_completed: u64,
    first_read_returned: u64,
    last_read_invoked: u64,
    /// Index of the compare-and-set that replaces the value.
    replaced_by: u32,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Nowhere,
    Blind,
    Swapped,
}

const UNTOUCHED: Cluster = Cluster {
    writer_invoked: 0,
    writer_completed: 0,
    first_read_returned: u64::MAX,
    last_read_invoked: 0,
    replaced_by: NO_OP,
    origin: Origin::Nowhere,
};

/// Where a block must be.
#[derive(Clone, Copy)]
struct Zone {
    low: u64,
    high: u64,
    root: Root,
}

/// What a zone belongs to.
#[derive(Clone, Copy)]
enum Root {
    /// The block that starts with this value.
    Value(u32),
    /// A write that nobody can have observed: this operation alone.
    Unobserved(u32),
}

#[derive(Default)]
struct Zones {
    forward: Vec<Zone>,
    backward: Vec<Zone>,
}

impl Zones {
    fn add(&mut self, first_completion: u64, last_invocation: u64, root: Root) {
        if first_completion < last_invocation {
            self.forward.push(Zone { low: first_completion, high: last_invocation, root });
        } else {
            self.backward.push(Zone { low: last_invocation, high: first_completion, root });
        }
    }

    /// Two zones that exclude each other.
    fn clash(&mut self) -> Option<[Zone; 2]> {
        self.forward.sort_unstable_by_key(|zone| zone.low);
        let mut neighbours = self.forward.windows(2).map(|pair| [pair[0], pair[1]]);
        if let Some(pair) = neighbours.find(|[one, next]| next.low < one.high) {
            return Some(pair);
        }
        self.backward.iter().find_map(|zone| {
            let before = self.forward.partition_point(|forward| forward.low < zone.low);
            let around = self.forward[..before].last()?;
            (zone.high < around.high).then_some([*around, *zone])
        })
    }
}

/// Decides a history in which no observable value has two writers.
pub(super) fn decide(initial: ValueId, ops: &[RegisterOp], survey: &Survey) -> Decision {
    let mut blocks = Blocks { ops, survey, clusters: Vec::new() };
    match blocks.check(initial) {
        Ok(_) => Decision::Yes,
        Err(seed) => Decision::No(Seed::Operations(seed)),
    }
}

struct Blocks<'a> {
    ops: &'a [RegisterOp],
    survey: &'a Survey,
    clusters: Vec<Cluster>,
}

impl Blocks<'_> {
    /// All zones, if they fit together.
    fn check(&mut self, initial: ValueId) -> Result<Zones, Vec<usize>> {
        let mut zones = Zones::default();
        let swaps = self.collect(initial, &mut zones)?;
        let mut swaps_in_blocks = 0;
        for root in 0..self.clusters.len() {
            match self.clusters[root].origin {
                Origin::Blind => {
                    swaps_in_blocks += self.add_block(ValueId(root as u32), &mut zones)?;
                }
                Origin::Swapped => {}
                Origin::Nowhere if self.survey.wanted_before(ValueId(root as u32)) == 0 => {}
                Origin::Nowhere => return Err(self.operations_from(ValueId(root as u32))),
            }
        }
        if swaps_in_blocks < swaps {
            // Each value has at most one writer and one successor, and all of these have a writer:
            // what no block contains goes round in a circle.
            return Err(self.operations_in_a_circle());
        }
        match zones.clash() {
            None => Ok(zones),
            Some(pair) => Err(pair.map(|zone| self.operations_of(zone.root)).concat()),
        }
    }

    /// Sorts operations into clusters, and those that nobody can have observed into zones of their
    /// own; returns how many compare-and-sets there are.
    fn collect(&mut self, initial: ValueId, zones: &mut Zones) -> Result<usize, Vec<usize>> {
        self.clusters = vec![UNTOUCHED; self.survey.values()];
        // As if written at 0, just before the history began.
        self.clusters[initial.index()].origin = Origin::Blind;
        let mut swaps = 0;
        let mut replaced_twice = None;
        for (index, op) in self.ops.iter().enumerate().filter(|(_, op)| self.survey.matters(op)) {
            if let (Some(value), None) = (op.call.expects(), op.call.installs()) {
                let cluster = &mut self.clusters[value.index()];
                cluster.first_read_returned = cluster.first_read_returned.min(completed(op));
                cluster.last_read_invoked = cluster.last_read_invoked.max(invoked(op));
                continue;
            }
            if let Call::Cas(from, _) = op.call {
                swaps += 1;
                let replaced_by = &mut self.clusters[from.index()].replaced_by;
                if *replaced_by != NO_OP {
                    replaced_twice = Some((from, *replaced_by as usize));
                }
                *replaced_by = index as u32;
            }
            let Some(value) = op.call.installs() else { continue };
            if self.survey.observable(op.invoked, value) {
                let cluster = &mut self.clusters[value.index()];
                cluster.writer_invoked = invoked(op);
                cluster.writer_completed = completed(op);
                cluster.origin = match op.call {
                    Call::Cas(..) => Origin::Swapped,
                    _ => Origin::Blind,
                };
            } else if let Call::Write(_) = op.call {
                zones.add(completed(op), invoked(op), Root::Unobserved(index as u32));
            }
        }
        if let Some((value, swap)) = replaced_twice {
            // A value that was there once cannot be replaced by two compare-and-sets.
            let mut seed = self.operations_from(value);
            seed.push(swap);
            seed.extend(
                self.ops[swap].call.installs().map(|to| self.operations_from(to)).iter().flatten(),
            );
            return Err(seed);
        }
        Ok(swaps)
    }

    /// Adds the zone of the block that starts with `root`; returns how many compare-and-sets are in
    /// the block.
    fn add_block(&self, root: ValueId, zones: &mut Zones) -> Result<usize, Vec<usize>> {
        let mut value = root;
        let mut swaps = 0;
        let mut cluster = &self.clusters[root.index()];
        let mut first_completion = cluster.writer_completed;
        let mut last_invocation = cluster.writer_invoked;
        loop {
            // Each operation must not have completed before one ahead of it was invoked.
            if cluster.first_read_returned < last_invocation {
                return Err(self.operations_up_to(root, value));
            }
            first_completion = first_completion.min(cluster.first_read_returned);
            last_invocation = last_invocation.max(cluster.last_read_invoked);
            if cluster.replaced_by == NO_OP {
                break;
            }
            swaps += 1;
            let swap = &self.ops[cluster.replaced_by as usize];
            if completed(swap) < last_invocation {
                let mut seed = self.operations_up_to(root, value);
                seed.push(cluster.replaced_by as usize);
                return Err(seed);
            }
            first_completion = first_completion.min(completed(swap));
            last_invocation = last_invocation.max(invoked(swap));
            match swap.call.installs() {
                Some(next) if self.survey.observable(swap.invoked, next) => {
                    value = next;
                    cluster = &self.clusters[next.index()];
                }
                _ => break,
            }
        }
        zones.add(first_completion, last_invocation, Root::Value(root.0));
        Ok(swaps)
    }
}
