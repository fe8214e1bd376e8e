//! A search just in time (Lowe 2017) over any model.
//!
//! It walks the events. At each completion every configuration in which the operation has not yet
//! taken effect is continued by open operations until it can. What keeps the front small: reads are
//! settled as soon as the state answers them; of equal open operations the one with the earliest
//! deadline comes first, and crashed ones, which have none, last; and configurations that used more
//! crashed operations than others are tried only when the others have failed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::front::{Configuration, Front, Mask};
use super::open::Open;
use super::{Model, Timed};
use crate::linearizable::{Budget, Limit};

/// Whether a history is linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Some order of the operations explains every answer.
    Yes,
    /// No order does.
    No {
        /// The operation whose completion no order explains with all before it; `None` if the
        /// procedure looked at the history as a whole.
        at: Option<usize>,
    },
    /// The budget ended first.
    Exhausted {
        /// Operations whose completion was passed.
        passed: usize,
        /// The limit that was reached.
        limit: Limit,
    },
}

/// An answer and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The answer.
    pub answer: Answer,
    /// What was done, and why it could be.
    pub procedure: &'static str,
    /// Comparisons of two configurations, as counted by [`Budget::comparisons`].
    pub comparisons: u64,
}

/// Decides whether operations on one object are linearizable, by the model's
/// [shortcut](Model::shortcut) where that applies.
pub fn decide<M: Model>(model: &M, ops: &[Timed<M::Op>], budget: &Budget) -> Decided {
    if let Some(shortcut) = model.shortcut(ops) {
        let answer = if shortcut.linearizable { Answer::Yes } else { Answer::No { at: None } };
        return Decided { answer, procedure: shortcut.procedure, comparisons: 0 };
    }
    search(model, ops, budget)
}

/// [`decide`] without shortcuts.
pub(super) fn search<M: Model>(model: &M, ops: &[Timed<M::Op>], budget: &Budget) -> Decided {
    let plan = Plan::new(model, ops);
    let mut comparisons = 0;
    let mut slack = 0;
    let answer = loop {
        let mut walk = Walk { model, ops, plan: &plan, budget, comparisons, slack, cut: false };
        let answer = walk.run();
        comparisons = walk.comparisons;
        match answer {
            Answer::No { .. } if walk.cut => slack = 1.max(2 * slack),
            answer => break answer,
        }
    };
    Decided { answer, procedure: "search: just in time over the open operations", comparisons }
}

/// What is known before the walk.
struct Plan {
    /// Position, whether it is a completion, operation; invocations first where positions are equal.
    events: Vec<(u64, bool, usize)>,
    /// The class of each operation: equal ones have the same. Those of crashed operations come
    /// first.
    classes: Vec<usize>,
    /// An operation of each class.
    examples: Vec<usize>,
    /// By operation.
    is_read: Vec<bool>,
}

impl Plan {
    fn new<M: Model>(model: &M, ops: &[Timed<M::Op>]) -> Plan {
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
        let mut order: Vec<usize> = (0..ops.len()).collect();
        order.sort_by_key(|op| ops[*op].returned.is_some());
        let mut ids: FxHashMap<&M::Op, usize> = FxHashMap::default();
        let (mut classes, mut examples) = (vec![0; ops.len()], Vec::new());
        for op in order {
            classes[op] = *ids.entry(&ops[op].op).or_insert_with(|| {
                examples.push(op);
                examples.len() - 1
            });
        }
        Plan { events, classes, examples, is_read }
    }
}

/// One walk over the events.
struct Walk<'a, M: Model> {
    model: &'a M,
    ops: &'a [Timed<M::Op>],
    plan: &'a Plan,
    budget: &'a Budget,
    comparisons: u64,
    /// How many crashed operations more than the most frugal configuration one may have used.
    slack: u32,
    /// Whether a configuration was left out that had used more.
    cut: bool,
}

impl<M: Model> Walk<'_, M> {
    fn run(&mut self) -> Answer {
        let start = Configuration {
            state: self.model.init(),
            writes: 0,
            reads: 0,
            crashed: Default::default(),
        };
        let mut front = vec![start];
        let mut open = Open::default();
        let mut passed = 0;
        for &(_, is_completion, op) in &self.plan.events {
            if is_completion {
                front = match self.complete(op, front, &open) {
                    Ok(front) => front,
                    Err(limit) => return Answer::Exhausted { passed, limit },
                };
                if front.is_empty() {
                    return Answer::No { at: Some(op) };
                }
                open.remove(op);
                passed += 1;
            } else if self.ops[op].returned.is_none() {
                let class = self.plan.classes[op];
                if open.crashed.len() <= class {
                    open.crashed.resize(class + 1, 0);
                }
                open.crashed[class] += 1;
            } else if !open.insert(op, self.plan.is_read[op], |op| self.ops[op].deadline()) {
                return Answer::Exhausted { passed, limit: Limit::OpenOperations };
            }
        }
        Answer::Yes
    }

    /// The configurations after the completion of an operation.
    fn complete(
        &mut self,
        op: usize,
        front: Vec<Configuration<M::State>>,
        open: &Open,
    ) -> Result<Vec<Configuration<M::State>>, Limit> {
        let bit = open.bit(op);
        let mut reached = Front::default();
        let mut visited = Front::default();
        let mut limit = front.iter().map(|c| c.crashed.total).min().unwrap_or(0) + self.slack;
        let (mut work, mut deferred) = (Vec::new(), front);
        loop {
            let (now, later) = deferred.into_iter().partition(|c| c.crashed.total <= limit);
            work.extend::<Vec<_>>(now);
            deferred = later;
            while let Some(mut configuration) = work.pop() {
                self.answer_reads(&mut configuration, open);
                let heap_bytes = |state: &M::State| self.model.heap_bytes(state);
                if !visited.insert(&configuration, heap_bytes) {
                    continue;
                }
                if (configuration.reads | configuration.writes) & bit != 0 {
                    configuration.reads &= !bit;
                    configuration.writes &= !bit;
                    reached.insert(&configuration, heap_bytes);
                    continue;
                }
                self.successors(&configuration, open, |next| {
                    let place = if next.crashed.total <= limit { &mut work } else { &mut deferred };
                    place.push(next);
                });
                let compared =
                    visited.comparisons + reached.comparisons + deferred.len() as u64 / 64;
                if self.comparisons + compared > self.budget.comparisons {
                    return Err(Limit::Comparisons);
                }
                let waiting = (work.len() + deferred.len()) * size_of::<Configuration<M::State>>();
                if visited.bytes + reached.bytes + waiting > self.budget.memory_bytes {
                    return Err(Limit::Memory);
                }
            }
            if !reached.is_empty() || deferred.is_empty() {
                break;
            }
            limit = deferred.iter().map(|c| c.crashed.total).min().unwrap_or(0) + self.slack;
        }
        self.cut |= !deferred.is_empty();
        self.comparisons += visited.comparisons + reached.comparisons;
        Ok(reached.into_configurations().collect())
    }

    /// A read that the state answers is never better answered later.
    fn answer_reads(&self, configuration: &mut Configuration<M::State>, open: &Open) {
        for &(read, bit) in &open.reads {
            if configuration.reads & bit == 0 {
                let answers = self.model.step(&configuration.state, &self.ops[read].op);
                if answers.into_iter().next().is_some() {
                    configuration.reads |= bit;
                }
            }
        }
    }

    /// Lets one more operation take effect.
    fn successors(
        &self,
        configuration: &Configuration<M::State>,
        open: &Open,
        mut found: impl FnMut(Configuration<M::State>),
    ) {
        let waiting = |(_, bit): &&(usize, Mask)| configuration.writes & bit == 0;
        let class = |op: usize| self.plan.classes[op];
        let mut tried: Vec<usize> = Vec::with_capacity(open.writes.len());
        for &(op, bit) in open.writes.iter().filter(waiting) {
            if tried.contains(&class(op)) {
                continue;
            }
            tried.push(class(op));
            for state in self.model.step(&configuration.state, &self.ops[op].op) {
                let (reads, crashed) = (configuration.reads, configuration.crashed.clone());
                found(Configuration { state, writes: configuration.writes | bit, reads, crashed });
            }
        }
        for (class, available) in open.crashed.iter().enumerate() {
            if configuration.crashed.of(class) >= *available || tried.contains(&class) {
                continue;
            }
            let op = &self.ops[self.plan.examples[class]].op;
            for state in self.model.step(&configuration.state, op) {
                let (writes, reads) = (configuration.writes, configuration.reads);
                let crashed = configuration.crashed.with(class);
                found(Configuration { state, writes, reads, crashed });
            }
        }
    }
}
