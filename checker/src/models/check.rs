//! The check of a whole history by a model: every key on its own, in parallel.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Answer, Decided, Model, Timed, Values, decide, order, witness};
use crate::history::{Completion, History, KeyId, Operation};
use crate::linearizable::{Budget, Limit};

/// What is known of one object.
#[derive(Clone, Debug)]
pub struct KeyCheck<'h> {
    /// The object; `None` if all keys are one.
    pub key: Option<KeyId>,
    /// The answer.
    pub outcome: Outcome<'h>,
    /// How it was found.
    pub procedure: &'static str,
}

/// Whether the operations on one object are linearizable.
#[derive(Clone, Debug)]
pub enum Outcome<'h> {
    /// Some order explains every answer.
    Linearizable,
    /// No order explains the answers of these operations, in the order of invocation.
    NotLinearizable(Vec<&'h Operation>),
    /// The budget ended first.
    Exhausted {
        /// Answers that were explained.
        passed: usize,
        /// The limit that was reached.
        limit: Limit,
    },
}

/// Checks whether a history is linearizable by a model.
///
/// # Errors
/// The first operation that the model does not have.
pub fn check<'h, M: Model>(
    model: &M,
    history: &'h History,
    budget: &Budget,
) -> Result<Vec<KeyCheck<'h>>, &'h Operation> {
    check_before(model, history, None, budget)
}

/// [`check`] of what was known just before the event of an index: what was open then may or may not
/// have happened.
fn check_before<'h, M: Model>(
    model: &M,
    history: &'h History,
    before_index: Option<u64>,
    budget: &Budget,
) -> Result<Vec<KeyCheck<'h>>, &'h Operation> {
    let objects = objects(model, history, before_index)?;
    let mut order: Vec<usize> = (0..objects.len()).collect();
    // The largest first, so that no thread is left alone with it.
    order.sort_by_key(|at| std::cmp::Reverse(objects[*at].ops.len()));
    let mut checks: Vec<(usize, KeyCheck<'h>)> = order
        .into_par_iter()
        .with_max_len(1)
        .map(|at| {
            let key = (!model.spans_keys()).then_some(KeyId(at as u32));
            let Decided { answer, procedure, .. } = decide(model, &objects[at].ops, budget);
            let outcome = objects[at].outcome(model, answer, budget);
            (at, KeyCheck { key, outcome, procedure })
        })
        .collect();
    checks.sort_by_key(|(at, _)| *at);
    Ok(checks.into_iter().map(|(_, check)| check).collect())
}

/// The objects of a history, by key unless all keys are one object.
fn objects<'h, M: Model>(
    model: &M,
    history: &'h History,
    before_index: Option<u64>,
) -> Result<Vec<Object<'h, M>>, &'h Operation> {
    let end = before_index.unwrap_or(u64::MAX);
    let count = if model.spans_keys() { 1 } else { history.keys().len() };
    let mut objects: Vec<Object<'h, M>> = (0..count).map(|_| Object::default()).collect();
    for operation in history.operations().iter().take_while(|o| o.invoked.index < end) {
        let at = if model.spans_keys() { 0 } else { operation.key.0 as usize };
        objects[at].add(model, operation, end)?;
    }
    Ok(objects)
}

/// The operations on one object.
struct Object<'h, M: Model> {
    ops: Vec<Timed<M::Op>>,
    operations: Vec<&'h Operation>,
    values: Values,
}

impl<M: Model> Default for Object<'_, M> {
    fn default() -> Self {
        Object { ops: Vec::new(), operations: Vec::new(), values: Values::default() }
    }
}

impl<'h, M: Model> Object<'h, M> {
    fn add(&mut self, model: &M, operation: &'h Operation, end: u64) -> Result<(), &'h Operation> {
        let in_time = operation.completed().filter(|completed| completed.index < end);
        let is_ok = in_time.is_some() && operation.is_ok();
        let mut op = model.op(operation, is_ok, &mut self.values).map_err(|_| operation)?;
        // A failure that became known only later is certain all the same.
        let failed = operation.completion() == Completion::Fail;
        if failed {
            op = in_time.and_then(|_| model.failed(operation, &mut self.values));
        }
        if let Some(op) = op {
            let answered = in_time.filter(|_| is_ok || failed);
            let returned = answered.map(|completed| completed.index);
            self.ops.push(Timed { op, invoked: operation.invoked.index, returned });
            self.operations.push(operation);
        }
        Ok(())
    }

    fn outcome(&self, model: &M, answer: Answer, budget: &Budget) -> Outcome<'h> {
        match answer {
            Answer::Yes => Outcome::Linearizable,
            Answer::No { at } => {
                let witness = witness::minimal(model, &self.ops, at, budget);
                Outcome::NotLinearizable(witness.iter().map(|at| self.operations[*at]).collect())
            }
            Answer::Exhausted { passed, limit } => Outcome::Exhausted { passed, limit },
        }
    }
}

/// A model by its name alone.
pub(crate) trait Named: Sync {
    fn name(&self) -> &'static str;

    fn operations(&self) -> &'static str;

    fn check_before<'h>(
        &self,
        history: &'h History,
        before_index: Option<u64>,
        budget: &Budget,
    ) -> Result<Vec<KeyCheck<'h>>, &'h Operation>;

    /// An order for each object that has one, by its key (empty where there are no keys, or all are
    /// one object): the indices of the operations' invocations. Operations that the model does not
    /// have make it empty.
    fn orders(&self, history: &History, budget: &Budget) -> BTreeMap<String, Vec<u64>>;
}

impl<M: Model> Named for M {
    fn name(&self) -> &'static str {
        Model::name(self)
    }

    fn operations(&self) -> &'static str {
        Model::operations(self)
    }

    fn check_before<'h>(
        &self,
        history: &'h History,
        before_index: Option<u64>,
        budget: &Budget,
    ) -> Result<Vec<KeyCheck<'h>>, &'h Operation> {
        check_before(self, history, before_index, budget)
    }

    fn orders(&self, history: &History, budget: &Budget) -> BTreeMap<String, Vec<u64>> {
        let objects = objects(self, history, None).unwrap_or_default();
        let of = |(at, Object { ops, .. }): (usize, &Object<'_, M>)| {
            let key = history.keys()[at].as_ref().filter(|_| !self.spans_keys());
            let order = order(self, ops, budget)?;
            let invoked = order.into_iter().map(|at| ops[at].invoked).collect();
            Some((key.cloned().unwrap_or_default(), invoked))
        };
        objects.par_iter().enumerate().filter_map(of).collect()
    }
}
