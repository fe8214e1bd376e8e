//! From the operations of a history to registers over dense value numbers.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use crate::history::{Completion, History, KeyId, Operation};
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
    /// By [`ValueId`].
    pub values: Vec<&'h Value>,
}

/// A call that would give the register a value.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'h> {
    pub operation: &'h Operation,
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
#[derive(Clone, Copy)]
pub(crate) struct Reading<'h> {
    /// Every key's value before the first write.
    pub initial: &'h Value,
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
    reading: &Reading<'h>,
) -> Result<Vec<Register<'h>>, &'h Operation> {
    let mut preparations: Vec<Preparation<'h>> = (0..history.keys().len())
        .map(|key| Preparation::new(KeyId(key as u32), reading.initial))
        .collect();
    let end = reading.before_index.unwrap_or(u64::MAX);
    for operation in history.operations() {
        if operation.invoked.index >= end {
            break;
        }
        preparations[operation.key.0 as usize].add(operation, end, reading.nil_reads_any)?;
    }
    Ok(preparations.into_iter().map(|preparation| preparation.register).collect())
}

struct Preparation<'h> {
    register: Register<'h>,
    ids: FxHashMap<&'h Value, ValueId>,
}

impl<'h> Preparation<'h> {
    fn new(key: KeyId, initial: &'h Value) -> Preparation<'h> {
        let register = Register {
            key,
            initial: ValueId(0),
            attempts: Vec::new(),
            observations: Vec::new(),
            values: vec![initial],
        };
        Preparation { register, ids: FxHashMap::from_iter([(initial, ValueId(0))]) }
    }

    fn id(&mut self, value: &'h Value) -> ValueId {
        let values = &mut self.register.values;
        *self.ids.entry(value).or_insert_with(|| {
            values.push(value);
            ValueId((values.len() - 1) as u32)
        })
    }

    fn add(
        &mut self,
        operation: &'h Operation,
        end: u64,
        nil_reads_any: bool,
    ) -> Result<(), &'h Operation> {
        let in_time = operation.completed.filter(|completed| completed.index < end);
        let acknowledged = in_time.filter(|_| operation.is_ok()).map(|completed| completed.index);
        let (old, new) = match operation.f.as_ref() {
            "read" => {
                let any = nil_reads_any && operation.result.is_null();
                if let (Some(completed), false) = (acknowledged, any) {
                    let value = self.id(&operation.result);
                    self.observe(operation, value, completed);
                }
                return Ok(());
            }
            "write" => (None, self.id(&operation.argument)),
            "cas" => {
                let (old, new) = (self.id(&operation.argument[0]), self.id(&operation.argument[1]));
                if let Some(completed) = acknowledged {
                    self.observe(operation, old, completed);
                }
                (Some(old), new)
            }
            _ => return Err(operation),
        };
        // A failure that became known only later is certain all the same.
        let failed = operation.completion == Completion::Fail;
        self.register.attempts.push(Attempt { operation, old, new, failed, acknowledged });
        Ok(())
    }

    fn observe(&mut self, operation: &'h Operation, value: ValueId, completed: u64) {
        let invoked = operation.invoked.index;
        self.register.observations.push(Observation { operation, value, invoked, completed });
    }
}

impl<'h> Register<'h> {
    /// The value that an id stands for.
    pub fn value(&self, id: ValueId) -> &'h Value {
        self.values[id.0 as usize]
    }

    /// The attempts that may have happened.
    pub fn possible_attempts(&self) -> impl Iterator<Item = &Attempt<'h>> {
        self.attempts.iter().filter(|attempt| !attempt.failed)
    }

    /// What the linearizability engine needs to see, each with the operation that it stands for.
    ///
    /// Operations that failed did not happen. One that may have happened is left out if nothing
    /// that certainly happened can depend on it: an unseen write can be taken back without a trace.
    pub fn operations(&self) -> (Vec<RegisterOp>, Vec<&'h Operation>) {
        let needed = self.needed_values();
        let reads = self
            .observations
            .iter()
            .filter(|observation| observation.operation.is_read())
            .map(|read| (Call::Read(read.value), Some(read.completed), read.operation));
        let writes = self
            .possible_attempts()
            .filter(|attempt| attempt.acknowledged.is_some() || needed.contains(&attempt.new.0))
            .map(|attempt| {
                let call = match attempt.old {
                    None => Call::Write(attempt.new),
                    Some(old) => Call::Cas(old, attempt.new),
                };
                (call, attempt.acknowledged, attempt.operation)
            });
        let mut all: Vec<_> = reads.chain(writes).collect();
        // Two sorted runs, which a stable sort merges.
        all.sort_by_key(|(_, _, operation)| operation.invoked.index);
        all.into_iter()
            .map(|(call, returned, operation)| {
                (RegisterOp { call, invoked: operation.invoked.index, returned }, operation)
            })
            .unzip()
    }

    /// The values that an answer shows, and those that a cas which may have happened needs in order
    /// to make one of them.
    fn needed_values(&self) -> FxHashSet<u32> {
        let mut needed: FxHashSet<u32> = self.observations.iter().map(|o| o.value.0).collect();
        let mut sources: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for attempt in self.possible_attempts().filter(|a| a.acknowledged.is_none()) {
            if let Some(old) = attempt.old {
                sources.entry(attempt.new.0).or_default().push(old.0);
            }
        }
        let mut open: Vec<u32> = needed.iter().copied().collect();
        while let Some(value) = open.pop() {
            for old in sources.remove(&value).unwrap_or_default() {
                if needed.insert(old) {
                    open.push(old);
                }
            }
        }
        needed
    }
}
