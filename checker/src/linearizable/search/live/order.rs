//! An order that explains a history.
//!
//! The walk records which operations took effect where it could be seen, and before which
//! completion. These divide the history into spans with one value each. All others fit in: a read
//! into a span with its value, a write into one with its value, where it changes nothing, or just
//! before another write, where nobody sees it.

use rustc_hash::FxHashMap;

use super::super::super::prepare::Survey;
use super::super::super::{Budget, Call, RegisterOp, ValueId};
use super::super::events;
use super::super::{Event, Kind};
use super::walker::{Use, Walker};

/// Where an operation goes: the number of the span, and whether just before what begins it, as what
/// begins it, or inside of it.
type Place = (usize, Part, u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    JustBefore,
    Beginning,
    Inside,
}

/// Values between two visible changes.
struct Spans {
    /// The position at which each begins; a span ends where the next one begins.
    begins: Vec<u64>,
    of_value: FxHashMap<ValueId, Vec<usize>>,
    /// Those that a write begins.
    written: Vec<usize>,
}

/// See [`super::super::super::order`]; for dense value ids.
pub(in super::super::super) fn order(
    initial: ValueId,
    ops: &[RegisterOp],
    survey: &Survey,
    budget: &Budget,
) -> Option<Vec<usize>> {
    let mut walker = Walker::recording(initial);
    let mut effort = budget.comparisons;
    let mut crashed: FxHashMap<Call, Vec<usize>> = FxHashMap::default();
    for Event { op, kind, .. } in events(ops, survey) {
        let (at, op) = (op as usize, &ops[op as usize]);
        match (kind, op.returned) {
            (Kind::Completion(_), _) => {
                walker.complete(at as u64, &mut effort).ok()?;
                if walker.is_refuted() {
                    return None;
                }
            }
            (Kind::Invocation { .. }, Some(end)) => walker.invoke(at as u64, op.call, end).ok()?,
            (Kind::Invocation { .. }, None) => {
                walker.crash(op.call);
                crashed.entry(op.call).or_default().push(at);
            }
        }
    }
    // Of equal ones the first comes first, so each was invoked before its use.
    crashed.values_mut().for_each(|equals| equals.reverse());
    let mut spans = Spans {
        begins: vec![0],
        of_value: FxHashMap::from_iter([(initial, vec![0])]),
        written: Vec::new(),
    };
    let mut places: Vec<Option<Place>> = vec![None; ops.len()];
    for (used, before) in walker.uses() {
        let op = match used {
            Use::Op(op) => op as usize,
            Use::Crashed(call) => crashed.get_mut(&call)?.pop()?,
        };
        let span = spans.begins.len();
        spans.begins.push(ops[before as usize].deadline());
        if let Call::Write(_) = ops[op].call {
            spans.written.push(span);
        }
        spans.of_value.entry(ops[op].call.installs()?).or_default().push(span);
        places[op] = Some((span, Part::Beginning, 0));
    }
    for (op, place) in ops.iter().zip(&mut places).filter(|(op, _)| op.returned.is_some()) {
        *place = place.or_else(|| spans.place(op));
        (*place)?;
    }
    let mut order: Vec<usize> = (0..ops.len()).filter(|op| places[*op].is_some()).collect();
    order.sort_by_key(|op| places[*op]);
    Some(order)
}

impl Spans {
    /// Where an operation goes that changes nothing that anyone sees.
    fn place(&self, op: &RegisterOp) -> Option<Place> {
        let value = op.call.expects().or(op.call.installs())?;
        let spans = self.of_value.get(&value).map_or(&[][..], Vec::as_slice);
        let ends = |span: usize| self.begins.get(span + 1).copied().unwrap_or(u64::MAX);
        let first = spans.partition_point(|span| ends(*span) < op.invoked);
        let inside = spans.get(first).filter(|span| self.begins[**span] <= op.deadline());
        if let Some(span) = inside {
            return Some((*span, Part::Inside, op.invoked));
        }
        let first = self.written.partition_point(|span| self.begins[*span] < op.invoked);
        let hidden = self.written.get(first).filter(|_| matches!(op.call, Call::Write(_)));
        let hidden = hidden.filter(|span| self.begins[**span] <= op.deadline());
        hidden.map(|span| (*span, Part::JustBefore, op.invoked))
    }
}
