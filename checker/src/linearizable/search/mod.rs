//! Search just in time (Lowe, "Testing for linearizability", 2017) over the open operations.
//!
//! The events are walked in order with the *front*: all configurations that explain the history so
//! far, apart from those that another one makes redundant. Work and memory follow the operations
//! open at once, not the length of the history. What keeps the front small is told in `steps`.
//!
//! Crashed operations multiply configurations, so the walk is first made with those that have used
//! the fewest of them (limited discrepancy, Harvey and Ginsberg 1995) and repeated with more until
//! an explanation is found or nothing was left aside. In between, the operations just before the
//! one that stays unexplained are looked at alone: if they are a violation on their own, how many
//! crashed ones were used before does not matter.

mod antichain;
mod crashed;
pub(crate) mod live;
pub(crate) mod mask;
mod open;
mod steps;
mod unfounded;
mod walk;

use super::prepare::Survey;
use super::witness::{self, Seed};
use super::{Budget, Call, Decision, Effort, Limit, RegisterOp, ValueId};
use mask::{Mask, Words};
use unfounded::Unfounded;
use walk::Search;

/// How many more crashed operations than necessary a configuration may have used, walk by walk,
/// and how many operations before the one that stays unexplained are then looked at alone.
const ROUNDS: [(u32, usize); 6] =
    [(0, 32), (1, 128), (2, 512), (4, 2048), (8, 8192), (u32::MAX, 0)];

/// Comparisons that looking at some operations alone may always take.
const GLANCE: u64 = 1_000_000;

/// The number of an event in the order of the walk.
type EventId = u32;

/// An event that never comes.
const NEVER: EventId = EventId::MAX;

/// One event of an operation.
#[derive(Clone, Copy)]
struct Event {
    position: u64,
    op: u32,
    kind: Kind,
}

/// When the value that the register holds at a completion is certainly gone.
#[derive(Clone, Copy)]
struct Horizon {
    /// The first completion of an operation that is invoked later and installs a value.
    any: EventId,
    /// The same for writes, which do not hand on what they find.
    blind: EventId,
}

#[derive(Clone, Copy)]
enum Kind {
    /// `completion` of the same operation; `next_reader`: if the operation finds a value, the next
    /// invocation of one that finds the same value.
    Invocation {
        completion: EventId,
        next_reader: EventId,
    },
    Completion(Horizon),
}

/// Why a walk ended without an answer.
pub(super) enum Stop {
    /// The masks are too narrow for the open operations.
    Narrow,
    Limit(Limit),
}

/// What a walk found.
pub(super) struct Walk {
    /// The completion that nothing explains.
    unexplained: Option<usize>,
    /// Whether configurations were left aside for having used too many crashed operations.
    incomplete: bool,
}

/// Decides any history whose value ids are dense.
pub(super) fn decide(
    initial: ValueId,
    ops: &[RegisterOp],
    survey: &Survey,
    budget: &Budget,
) -> (Decision, Effort) {
    let mut problem = Problem::new(initial, ops, survey, budget);
    if let Some(Unfounded { reader, overwritten_by }) = unfounded::find(&problem) {
        let seed = [Some(reader), overwritten_by].into_iter().flatten().collect();
        return (Decision::No(Seed::Operations(seed)), problem.effort);
    }
    let widths = [
        Problem::decide_in::<u64>,
        Problem::decide_in::<u128>,
        Problem::decide_in::<Words<16>>,
        Problem::decide_in::<Words<256>>,
    ];
    let decision = widths
        .iter()
        .find_map(|decide| decide(&mut problem))
        .unwrap_or(Decision::Unknown { passed: problem.passed, limit: Limit::OpenOperations });
    (decision, problem.effort)
}

/// A history to decide, and what was done for it so far.
pub(super) struct Problem<'a> {
    initial: ValueId,
    ops: &'a [RegisterOp],
    survey: &'a Survey,
    budget: &'a Budget,
    events: Vec<Event>,
    /// For each value the first invocation of an operation that finds it.
    first_reader: Vec<EventId>,
    open_at_once: usize,
    effort: Effort,
    passed: usize,
}

impl<'a> Problem<'a> {
    fn new(
        initial: ValueId,
        ops: &'a [RegisterOp],
        survey: &'a Survey,
        budget: &'a Budget,
    ) -> Self {
        let events = events(ops, survey);
        let (mut open, mut open_at_once) = (0, 0);
        for event in &events {
            match event.kind {
                Kind::Completion(_) => open -= 1,
                Kind::Invocation { .. } => {
                    open += usize::from(ops[event.op as usize].returned.is_some());
                }
            }
            open_at_once = open.max(open_at_once);
        }
        let mut problem = Problem {
            initial,
            ops,
            survey,
            budget,
            events,
            first_reader: vec![NEVER; survey.values()],
            open_at_once,
            effort: Effort::default(),
            passed: 0,
        };
        problem.look_ahead();
        problem
    }

    /// Links what each event must know of later ones, from the end to the beginning.
    fn look_ahead(&mut self) {
        let mut completion = vec![NEVER; self.ops.len()];
        let mut now = Horizon { any: NEVER, blind: NEVER };
        for at in (0..self.events.len()).rev() {
            let Event { op, kind, .. } = &mut self.events[at];
            let call = self.ops[*op as usize].call;
            match kind {
                Kind::Completion(horizon) => {
                    *horizon = now;
                    completion[*op as usize] = at as EventId;
                }
                Kind::Invocation { completion: own, next_reader } => {
                    *own = completion[*op as usize];
                    if let Some(value) = call.expects() {
                        let first = &mut self.first_reader[value.index()];
                        *next_reader = std::mem::replace(first, at as EventId);
                    }
                    if call.installs().is_some() {
                        now.any = now.any.min(*own);
                    }
                    if let Call::Write(_) = call {
                        now.blind = now.blind.min(*own);
                    }
                }
            }
        }
    }

    /// Decides with masks of this width; `None` if they are too narrow.
    fn decide_in<M: Mask>(&mut self) -> Option<Decision> {
        if self.open_at_once > M::CAPACITY {
            return None;
        }
        for (slack, span) in ROUNDS {
            let walk = match Search::<M>::new(self, slack).walk() {
                Ok(walk) => walk,
                Err(Stop::Narrow) => return None,
                Err(Stop::Limit(limit)) => {
                    return Some(Decision::Unknown { passed: self.passed, limit });
                }
            };
            match walk.unexplained {
                None => return Some(Decision::Yes),
                Some(op) if !walk.incomplete => return Some(Decision::No(Seed::Completion(op))),
                Some(op) => {
                    if let Some(violation) = self.violation_before(op, span) {
                        return Some(Decision::No(Seed::Operations(violation)));
                    }
                }
            }
        }
        unreachable!("the last walk leaves nothing aside")
    }
}

impl Problem<'_> {
    /// A violation among few operations before the completion of `op`, with no more effort than
    /// was spent so far.
    fn violation_before(&mut self, op: usize, span: usize) -> Option<Vec<usize>> {
        let spent = self.effort.comparisons;
        let comparisons = spent.max(GLANCE).min(self.budget.comparisons.saturating_sub(spent));
        let mut budget = Budget { comparisons, ..*self.budget };
        let violation = witness::in_span_before(self.initial, self.ops, op, span, &mut budget);
        self.effort.comparisons += comparisons - budget.comparisons;
        violation
    }
}

/// The events that matter, in order. Intervals are closed: at one position invocations come first.
fn events(ops: &[RegisterOp], survey: &Survey) -> Vec<Event> {
    let mut events = Vec::with_capacity(2 * ops.len());
    for (index, op) in ops.iter().enumerate().filter(|(_, op)| survey.matters(op)) {
        let event = |position, kind| Event { position, op: index as u32, kind };
        events.push(event(op.invoked, Kind::Invocation { completion: NEVER, next_reader: NEVER }));
        events.extend(
            op.returned.map(|at| event(at, Kind::Completion(Horizon { any: NEVER, blind: NEVER }))),
        );
    }
    events
        .sort_unstable_by_key(|event| (event.position, matches!(event.kind, Kind::Completion(_))));
    events
}

/// What walks alone say, with masks of one and two words and with masks so narrow that small
/// histories fill them, where that is `None`.
#[cfg(test)]
pub(super) fn decide_by_walks(
    initial: ValueId,
    ops: &[RegisterOp],
    survey: &Survey,
    budget: &Budget,
) -> [Option<Decision>; 3] {
    let widths =
        [Problem::decide_in::<u64>, Problem::decide_in::<Words<2>>, Problem::decide_in::<u8>];
    widths.map(|decide| decide(&mut Problem::new(initial, ops, survey, budget)))
}
