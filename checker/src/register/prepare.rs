//! From the operations of a history to registers over dense value numbers.

use rustc_hash::FxHashMap;

use super::values::Values;
use crate::history::{Completion, Datum, History, KeyId, Operation};
use crate::linearizable::{Call, RegisterOp, ValueId};

/// One key's operations, its values numbered from 0.
///
/// Positions are indices of events; an answer that came before another operation began has the
/// smaller one.
pub(crate) struct Register<'h> {
    pub key: KeyId,
    pub initial: ValueId,
    /// Every attempt to write, failed ones included, in the order of invocation.
    pub attempts: Vec<Attempt<'h>>,
    /// Every value that the system showed to a client, in the order of invocation.
    pub observations: Vec<Observation<'h>>,
    pub values: Values,
}

/// A call that would give the register a value.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'h> {
    pub operation: &'h Operation,
    /// The operation's, kept here because every check asks for it.
    pub invoked: u64,
    /// What it expects to find, for a `cas`.
    pub old: Option<ValueId>,
    pub new: ValueId,
    /// Whether it certainly did not happen.
    pub failed: bool,
    /// Where it was acknowledged; `None` if it was not.
    pub acknowledged: Option<u64>,
}

/// A certain answer that shows the value: an `ok` read, or the reading half of an `ok` cas.
#[derive(Clone, Copy)]
pub(crate) struct Observation<'h> {
    pub operation: &'h Operation,
    pub value: ValueId,
    pub invoked: u64,
    pub completed: u64,
}

/// What to make of a history's operations.
#[derive(Clone)]
pub(crate) struct Reading {
    /// Every key's value before the first write.
    pub initial: Datum,
    /// A read of null is no observation at all.
    pub nil_reads_any: bool,
    /// Only what was known just before the event of this index: later invocations are left out and
    /// what was still open then may or may not have happened.
    pub before_index: Option<u64>,
}

/// Splits a history by key.
///
/// Returns the first operation that is none of a register's as the error.
pub(crate) fn registers<'h>(
    history: &'h History,
    reading: &Reading,
) -> Result<Vec<Register<'h>>, &'h Operation> {
    let mut registers: Vec<Register<'h>> = (0..history.keys().len())
        .map(|key| Register::new(KeyId(key as u32), &reading.initial))
        .collect();
    let end = reading.before_index.unwrap_or(u64::MAX);
    for operation in history.operations() {
        if operation.invoked.index >= end {
            break;
        }
        registers[operation.key.0 as usize].add(operation, end, reading.nil_reads_any)?;
    }
    Ok(registers)
}

impl<'h> Register<'h> {
    fn new(key: KeyId, initial: &Datum) -> Register<'h> {
        Register {
            key,
            initial: ValueId(0),
            attempts: Vec::new(),
            observations: Vec::new(),
            values: Values::beginning_with(initial),
        }
    }

    fn add(
        &mut self,
        operation: &'h Operation,
        end: u64,
        nil_reads_any: bool,
    ) -> Result<(), &'h Operation> {
        let in_time = operation.completed().filter(|completed| completed.index < end);
        let acknowledged = in_time.filter(|_| operation.is_ok()).map(|completed| completed.index);
        let (old, new) = match operation.f() {
            "read" => {
                let any = nil_reads_any && operation.result().is_null();
                if let (Some(completed), false) = (acknowledged, any) {
                    let value = self.values.id(operation.result());
                    self.observe(operation, value, completed);
                }
                return Ok(());
            }
            "write" => (None, self.values.id(operation.argument())),
            "cas" => {
                let (old, new) = (
                    self.values.id(&operation.argument()[0]),
                    self.values.id(&operation.argument()[1]),
                );
                if let Some(completed) = acknowledged {
                    self.observe(operation, old, completed);
                }
                (Some(old), new)
            }
            _ => return Err(operation),
        };
        // A failure that became known only later is certain all the same.
        let failed = operation.completion() == Completion::Fail;
        let invoked = operation.invoked.index;
        self.attempts.push(Attempt { operation, invoked, old, new, failed, acknowledged });
        Ok(())
    }

    fn observe(&mut self, operation: &'h Operation, value: ValueId, completed: u64) {
        let invoked = operation.invoked.index;
        self.observations.push(Observation { operation, value, invoked, completed });
    }

    /// The value that an id stands for.
    pub fn value(&self, id: ValueId) -> &Datum {
        self.values.value(id)
    }

    /// The attempts that may have happened.
    pub fn possible_attempts(&self) -> impl Iterator<Item = &Attempt<'h>> {
        self.attempts.iter().filter(|attempt| !attempt.failed)
    }

    /// What the linearizability engine needs to see, in the order of invocation.
    ///
    /// Operations that failed did not happen. One that may have happened is left out if nothing
    /// that certainly happened can depend on it: an unseen write can be taken back without a trace.
    pub fn operations(&self) -> Vec<RegisterOp> {
        let needed = self.needed_values();
        let mut writes = self
            .possible_attempts()
            .filter(|attempt| attempt.acknowledged.is_some() || needed[attempt.new.0 as usize])
            .map(|attempt| {
                let call = match attempt.old {
                    None => Call::Write(attempt.new),
                    Some(old) => Call::Cas(old, attempt.new),
                };
                RegisterOp { call, invoked: attempt.invoked, returned: attempt.acknowledged }
            })
            .peekable();
        let mut all = Vec::with_capacity(self.attempts.len() + self.observations.len());
        for seen in self.observations.iter().filter(|seen| seen.operation.is_read()) {
            while let Some(write) = writes.next_if(|write| write.invoked < seen.invoked) {
                all.push(write);
            }
            let (call, returned) = (Call::Read(seen.value), Some(seen.completed));
            all.push(RegisterOp { call, invoked: seen.invoked, returned });
        }
        all.extend(writes);
        all
    }

    /// The operation that was invoked at a position, if it is one of [`Register::operations`].
    pub fn operation_at(&self, invoked: u64) -> Option<&'h Operation> {
        let write = self.attempts.binary_search_by_key(&invoked, |attempt| attempt.invoked);
        let seen = self.observations.binary_search_by_key(&invoked, |seen| seen.invoked);
        match (write, seen) {
            (Ok(at), _) => Some(self.attempts[at].operation),
            (_, Ok(at)) => Some(self.observations[at].operation),
            _ => None,
        }
    }

    /// For each value, by id, whether an answer shows it, or a cas which may have happened needs it
    /// in order to make such a value.
    fn needed_values(&self) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        for seen in &self.observations {
            needed[seen.value.0 as usize] = true;
        }
        let mut sources: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for attempt in self.possible_attempts().filter(|a| a.acknowledged.is_none()) {
            if let Some(old) = attempt.old {
                sources.entry(attempt.new.0).or_default().push(old.0);
            }
        }
        let mut open: Vec<u32> =
            sources.keys().copied().filter(|value| needed[*value as usize]).collect();
        while let Some(value) = open.pop() {
            for old in sources.remove(&value).unwrap_or_default() {
                if !std::mem::replace(&mut needed[old as usize], true) {
                    open.push(old);
                }
            }
        }
        needed
    }
}
