//! An order that explains a history, from zones that fit together.
//!
//! A forward block takes its whole zone, a backward one the first point of its zone that lies inside
//! of no forward zone. So blocks follow each other, and inside a block there is but one order, up to
//! that of the reads of one value.

use super::super::prepare::Survey;
use super::super::{RegisterOp, ValueId};
use super::{Blocks, Call, NO_OP, Root, Zone};

/// Of operations, by index, in which no observable value has two writers; `None` if there is none.
pub(in super::super) fn order(
    initial: ValueId,
    ops: &[RegisterOp],
    survey: &Survey,
) -> Option<Vec<usize>> {
    let mut blocks = Blocks { ops, survey, clusters: Vec::new() };
    let zones = blocks.check(initial).ok()?;
    let by_value = ByValue::new(ops, survey);
    let place = |zone: &Zone| {
        let before = zones.forward.partition_point(|forward| forward.low < zone.low);
        let around = zones.forward[..before].last().map_or(0, |forward| forward.high);
        let point = zone.low.max(around);
        (point, point, zone.root)
    };
    let mut placed: Vec<(u64, u64, Root)> = zones.backward.iter().map(place).collect();
    placed.extend(zones.forward.iter().map(|zone| (zone.low, zone.high, zone.root)));
    // Where a zone ends and another begins, the points between come between.
    placed.sort_by_key(|(from, to, _)| (*from, *to));
    let mut order = Vec::with_capacity(ops.len());
    for (_, _, root) in placed {
        match root {
            Root::Unobserved(op) => order.push(op as usize),
            Root::Value(value) => {
                for value in blocks.path(ValueId(value)) {
                    order.extend(by_value.writer[value.index()]);
                    order.extend(&by_value.readers[value.index()]);
                    // One whose new value is another link of the block comes with that value.
                    let swap = blocks.clusters[value.index()].replaced_by;
                    let ends = |swap: &RegisterOp| {
                        let next = swap.call.installs();
                        next.is_none_or(|next| !survey.observable(swap.invoked, next))
                    };
                    if swap != NO_OP && ends(&ops[swap as usize]) {
                        order.push(swap as usize);
                    }
                }
            }
        }
    }
    Some(order)
}

/// The operations on each value that someone can have observed.
struct ByValue {
    writer: Vec<Option<usize>>,
    /// In the order of invocation.
    readers: Vec<Vec<usize>>,
}

impl ByValue {
    fn new(ops: &[RegisterOp], survey: &Survey) -> ByValue {
        let mut by_value =
            ByValue { writer: vec![None; survey.values()], readers: vec![vec![]; survey.values()] };
        for (at, op) in ops.iter().enumerate().filter(|(_, op)| survey.matters(op)) {
            match (op.call, op.call.installs()) {
                (_, Some(value)) if survey.observable(op.invoked, value) => {
                    by_value.writer[value.index()] = Some(at);
                }
                (Call::Read(value) | Call::Cas(value, _), None) => {
                    by_value.readers[value.index()].push(at);
                }
                _ => {}
            }
        }
        for readers in &mut by_value.readers {
            readers.sort_by_key(|reader| ops[*reader].invoked);
        }
        by_value
    }
}
