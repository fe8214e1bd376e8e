//! A search just in time (Lowe 2017) over any model.
//!
//! It walks the events. At each completion every configuration in which the operation has not yet
//! taken effect is continued by open operations until it can. What keeps the front small: reads are
//! settled as soon as the state answers them; of equal open operations the one with the earliest
//! deadline comes first, and crashed ones, which have none, last; and configurations that used more
//! crashed operations than others are tried only when the others have failed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::front::{Configuration, Front};
use super::open::Open;
use super::{Model, Shortcut, Timed};
use crate::linearizable::mask::{Mask, Words};
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

impl Answer {
    /// The answer of a procedure that looks at the history as a whole.
    pub fn whole(linearizable: bool) -> Answer {
        if linearizable { Answer::Yes } else { Answer::No { at: None } }
    }
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
        let Shortcut { procedure, answer } = shortcut;
        return Decided { answer, procedure, comparisons: 0 };
    }
    search(model, ops, budget)
}

/// [`decide`] without shortcuts.
pub(super) fn search<M: Model>(model: &M, ops: &[Timed<M::Op>], budget: &Budget) -> Decided {
    let plan = Plan::new(model, ops);
    let walk = Walk { model, ops, plan: &plan, budget, comparisons: 0, slack: 0, cut: false };
    let (answer, comparisons) = match plan.most_open {
        0..=64 => walk.repeat::<u64>(),
        65..=128 => walk.repeat::<u128>(),
        129..=1024 => walk.repeat::<Words<16>>(),
        _ => walk.repeat::<Words<256>>(),
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
    /// How many operations that complete are open at once, at most.
    most_open: usize,
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
        let (mut open, mut most_open) = (0_usize, 0);
        for &(_, is_completion, op) in &events {
            match (is_completion, ops[op].returned) {
                (false, Some(_)) => open += 1,
                (true, _) => open -= 1,
                (false, None) => {}
            }
            most_open = open.max(most_open);
        }
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
        Plan { events, classes, examples, is_read, most_open }
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
    /// Walks until the answer is certain, with sets of at least as many members as operations are
    /// open at once; and the comparisons that took.
    fn repeat<K: Mask>(mut self) -> (Answer, u64) {
        loop {
            match self.run::<K>() {
                Answer::No { .. } if self.cut => self.slack = 1.max(2 * self.slack),
                answer => return (answer, self.comparisons),
            }
        }
    }

    fn run<K: Mask>(&mut self) -> Answer {
        self.cut = false;
        let start = Configuration {
            state: self.model.init(),
            writes: K::EMPTY,
            reads: K::EMPTY,
            crashed: Default::default(),
        };
        let mut front = vec![start];
        let mut open = Open::<K>::new();
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
    fn complete<K: Mask>(
        &mut self,
        op: usize,
        front: Vec<Configuration<M::State, K>>,
        open: &Open<K>,
    ) -> Result<Vec<Configuration<M::State, K>>, Limit> {
        let slot = open.slot(op).expect("a completion of an open operation");
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
                if configuration.reads.or(configuration.writes).has(slot) {
                    configuration.reads.remove(slot);
                    configuration.writes.remove(slot);
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
                let waiting =
                    (work.len() + deferred.len()) * size_of::<Configuration<M::State, K>>();
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
    fn answer_reads<K: Mask>(
        &self,
        configuration: &mut Configuration<M::State, K>,
        open: &Open<K>,
    ) {
        for &(read, slot) in &open.reads {
            if !configuration.reads.has(slot) {
                let answers = self.model.step(&configuration.state, &self.ops[read].op);
                if answers.into_iter().next().is_some() {
                    configuration.reads.insert(slot);
                }
            }
        }
    }

    /// Lets one more operation take effect.
    fn successors<K: Mask>(
        &self,
        configuration: &Configuration<M::State, K>,
        open: &Open<K>,
        mut found: impl FnMut(Configuration<M::State, K>),
    ) {
        let waiting = |(_, slot): &&(usize, usize)| !configuration.writes.has(*slot);
        let class = |op: usize| self.plan.classes[op];
        let mut tried: Vec<usize> = Vec::with_capacity(open.writes.len());
        for &(op, slot) in open.writes.iter().filter(waiting) {
            if tried.contains(&class(op)) {
                continue;
            }
            tried.push(class(op));
            for state in self.model.step(&configuration.state, &self.ops[op].op) {
                let (reads, crashed) = (configuration.reads, configuration.crashed.clone());
                let mut writes = configuration.writes;
                writes.insert(slot);
                found(Configuration { state, writes, reads, crashed });
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
