//! A search just in time (Lowe 2017) over any model.
//!
//! It walks the events. At each completion every configuration in which the operation has not yet
//! taken effect is continued by open operations until it can. What keeps the front small: reads are
//! settled as soon as the state answers them; of equal open operations the one with the earliest
//! deadline comes first, and crashed ones, which have none, last; and configurations that used more
//! crashed operations than others are tried only when the others have failed.

use super::answer::{Answer, Decided};
use super::front::{Configuration, Front};
use super::open::Open;
use super::path::{Effect, Paths, START};
use super::plan::Plan;
use super::{Model, Shortcut, Timed};
use crate::linearizable::mask::{Mask, Words};
use crate::linearizable::{Budget, Limit};

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
    let mut walk = Walk::new(model, ops, &plan, budget);
    let answer = walk.decide();
    let procedure = "search: just in time over the open operations";
    Decided { answer, procedure, comparisons: walk.comparisons }
}

/// An order of the operations, by index, that explains every answer: each is a step of the model
/// after the ones before it, and one that completed before another was invoked comes first.
/// Operations of unknown outcome that it does not need are left out. `None` if there is none, or
/// the budget ended first: no shortcut is taken here.
pub fn order<M: Model>(model: &M, ops: &[Timed<M::Op>], budget: &Budget) -> Option<Vec<usize>> {
    let plan = Plan::new(model, ops);
    let mut walk = Walk::new(model, ops, &plan, budget);
    walk.paths = Some(Paths::default());
    if walk.decide() != Answer::Yes {
        return None;
    }
    let effects = walk.paths.unwrap_or_default().effects(walk.explained);
    // Of equal ones the first comes first, so each was invoked before it took effect.
    let mut crashed = plan.crashed(ops);
    let op = |effect| match effect {
        Effect::Of(op) => Some(op),
        Effect::OfCrashed(class) => crashed[class].next(),
    };
    effects.into_iter().map(op).collect()
}

/// What one completion makes, kept for the memory it holds.
struct Closure<S, K> {
    visited: Front<S, K>,
    reached: Front<S, K>,
    /// To be visited.
    work: Vec<Configuration<S, K>>,
    /// To be visited if nothing better is reached.
    deferred: Vec<Configuration<S, K>>,
    /// Classes of operations that one configuration was continued by.
    tried: Vec<usize>,
}

impl<S, K> Default for Closure<S, K> {
    fn default() -> Self {
        let (visited, reached, work, deferred, tried) = Default::default();
        Closure { visited, reached, work, deferred, tried }
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
    /// What took effect, if that is recorded.
    paths: Option<Paths>,
    /// The path of a configuration that explains everything.
    explained: usize,
}

impl<'a, M: Model> Walk<'a, M> {
    fn new(
        model: &'a M,
        ops: &'a [Timed<M::Op>],
        plan: &'a Plan,
        budget: &'a Budget,
    ) -> Walk<'a, M> {
        let (comparisons, slack, cut, paths) = Default::default();
        Walk { model, ops, plan, budget, comparisons, slack, cut, paths, explained: START }
    }

    /// Walks with sets of at least as many members as operations are open at once.
    fn decide(&mut self) -> Answer {
        match self.plan.most_open {
            0..=64 => self.repeat::<u64>(),
            65..=128 => self.repeat::<u128>(),
            129..=1024 => self.repeat::<Words<16>>(),
            _ => self.repeat::<Words<256>>(),
        }
    }

    /// Walks until the answer is certain.
    fn repeat<K: Mask>(&mut self) -> Answer {
        loop {
            match self.run::<K>() {
                Answer::No { .. } if self.cut => self.slack = 1.max(2 * self.slack),
                answer => return answer,
            }
        }
    }

    /// The path of a configuration in which one more operation takes effect.
    fn path(&mut self, path: usize, effect: Effect) -> usize {
        self.paths.as_mut().map_or(path, |paths| paths.extend(path, effect))
    }

    fn run<K: Mask>(&mut self) -> Answer {
        self.cut = false;
        if let Some(paths) = &mut self.paths {
            paths.clear();
        }
        let start = Configuration {
            state: self.model.init(),
            writes: K::EMPTY,
            reads: K::EMPTY,
            crashed: Default::default(),
            path: START,
        };
        let mut front = vec![start];
        let mut closure = Closure::default();
        let mut open = Open::<K>::new();
        let mut passed = 0;
        for &(_, is_completion, op) in &self.plan.events {
            if is_completion {
                if let Err(limit) = self.complete(op, &mut front, &open, &mut closure) {
                    return Answer::Exhausted { passed, limit };
                }
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
        self.explained = front[0].path;
        Answer::Yes
    }

    /// Turns configurations into those after the completion of an operation.
    fn complete<K: Mask>(
        &mut self,
        op: usize,
        front: &mut Vec<Configuration<M::State, K>>,
        open: &Open<K>,
        closure: &mut Closure<M::State, K>,
    ) -> Result<(), Limit> {
        let slot = open.slot(op).expect("a completion of an open operation");
        let Closure { visited, reached, work, deferred, tried } = closure;
        let compared_before = visited.comparisons + reached.comparisons;
        let mut limit = front.iter().map(|c| c.crashed.total).min().unwrap_or(0) + self.slack;
        work.extend(front.extract_if(.., |c| c.crashed.total <= limit));
        deferred.append(front);
        loop {
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
                self.successors(&configuration, open, tried, |next| {
                    let place =
                        if next.crashed.total <= limit { &mut *work } else { &mut *deferred };
                    place.push(next);
                });
                let compared = visited.comparisons + reached.comparisons - compared_before
                    + deferred.len() as u64 / 64;
                if self.comparisons + compared > self.budget.comparisons {
                    return Err(Limit::Comparisons);
                }
                let waiting =
                    (work.len() + deferred.len()) * size_of::<Configuration<M::State, K>>();
                let paths = self.paths.as_ref().map_or(0, Paths::bytes);
                if visited.bytes + reached.bytes + waiting + paths > self.budget.memory_bytes {
                    return Err(Limit::Memory);
                }
            }
            if !reached.is_empty() || deferred.is_empty() {
                break;
            }
            limit = deferred.iter().map(|c| c.crashed.total).min().unwrap_or(0) + self.slack;
            work.extend(deferred.extract_if(.., |c| c.crashed.total <= limit));
        }
        self.cut |= !deferred.is_empty();
        deferred.clear();
        self.comparisons += visited.comparisons + reached.comparisons - compared_before;
        visited.drain().for_each(drop);
        front.extend(reached.drain());
        Ok(())
    }

    /// A read that the state answers is never better answered later.
    fn answer_reads<K: Mask>(
        &mut self,
        configuration: &mut Configuration<M::State, K>,
        open: &Open<K>,
    ) {
        for &(read, slot) in &open.reads {
            if !configuration.reads.has(slot) {
                let answers = self.model.step(&configuration.state, &self.ops[read].op);
                if answers.into_iter().next().is_some() {
                    configuration.reads.insert(slot);
                    configuration.path = self.path(configuration.path, Effect::Of(read));
                }
            }
        }
    }

    /// Lets one more operation take effect.
    fn successors<K: Mask>(
        &mut self,
        configuration: &Configuration<M::State, K>,
        open: &Open<K>,
        tried: &mut Vec<usize>,
        mut found: impl FnMut(Configuration<M::State, K>),
    ) {
        let waiting = |(_, slot): &&(usize, usize)| !configuration.writes.has(*slot);
        let class = |op: usize| self.plan.classes[op];
        tried.clear();
        for &(op, slot) in open.writes.iter().filter(waiting) {
            if tried.contains(&class(op)) {
                continue;
            }
            tried.push(class(op));
            for state in self.model.step(&configuration.state, &self.ops[op].op) {
                let (reads, crashed) = (configuration.reads, configuration.crashed.clone());
                let mut writes = configuration.writes;
                writes.insert(slot);
                let path = self.path(configuration.path, Effect::Of(op));
                found(Configuration { state, writes, reads, crashed, path });
            }
        }
        for (class, available) in open.crashed.iter().enumerate() {
            if configuration.crashed.of(class) >= *available || tried.contains(&class) {
                continue;
            }
            let op = &self.ops[self.plan.examples[class]].op;
            for state in self.model.step(&configuration.state, op) {
                let path = self.path(configuration.path, Effect::OfCrashed(class));
                let (writes, reads) = (configuration.writes, configuration.reads);
                let crashed = configuration.crashed.with(class);
                found(Configuration { state, writes, reads, crashed, path });
            }
        }
    }
}
