//! Registers of which a compare-and-set that failed is an answer too.

use super::{Model, NoSuchOperation, Values};
use crate::history::{Completion, Datum, ErrorKind, Operation};
use crate::linearizable::ValueId;

/// A register with `read`, `write` and `cas`. One that failed with a mismatch has seen that the
/// register did not hold the old value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObservedRegister<'a> {
    /// Its value before the first write.
    pub initial: &'a Datum,
    /// A read of null says nothing.
    pub nil_reads_any: bool,
}

/// What was done with the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// It held this.
    Read(ValueId),
    /// It did not hold this.
    Mismatch(ValueId),
    /// It was set to this.
    Write(ValueId),
    /// It held the first value and was set to the second.
    Cas(ValueId, ValueId),
}

impl ObservedRegister<'_> {
    /// The number of a value. That of null is the initial value's.
    fn id(&self, value: &Datum, values: &mut Values) -> ValueId {
        if value == self.initial {
            Values::NULL
        } else if value.is_null() {
            values.id(self.initial)
        } else {
            values.id(value)
        }
    }

    fn pair(
        &self,
        operation: &Operation,
        values: &mut Values,
    ) -> Result<[ValueId; 2], NoSuchOperation> {
        match operation.argument().as_array() {
            Some([old, new]) => Ok([self.id(old, values), self.id(new, values)]),
            _ => Err(NoSuchOperation),
        }
    }
}

impl Model for ObservedRegister<'_> {
    type Op = Op;
    type State = ValueId;
    type Next = Option<ValueId>;

    fn name(&self) -> &'static str {
        "cas-register"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f() {
            "read" if !answered => None,
            "read" if self.nil_reads_any && operation.result().is_null() => None,
            "read" => Some(Op::Read(self.id(operation.result(), values))),
            "write" => Some(Op::Write(self.id(operation.argument(), values))),
            "cas" => {
                let [old, new] = self.pair(operation, values)?;
                Some(Op::Cas(old, new))
            }
            _ => return Err(NoSuchOperation),
        })
    }

    fn failed(&self, operation: &Operation, values: &mut Values) -> Option<Op> {
        if !is_observed(operation) {
            return None;
        }
        let [old, _] = self.pair(operation, values).ok()?;
        Some(Op::Mismatch(old))
    }

    fn init(&self) -> ValueId {
        Values::NULL
    }

    fn step(&self, value: &ValueId, op: &Op) -> Option<ValueId> {
        match *op {
            Op::Read(seen) => (seen == *value).then_some(*value),
            Op::Mismatch(old) => (old != *value).then_some(*value),
            Op::Write(new) => Some(new),
            Op::Cas(old, new) => (old == *value).then_some(new),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        match op {
            Op::Read(_) | Op::Mismatch(_) => true,
            Op::Write(_) => false,
            Op::Cas(old, new) => old == new,
        }
    }
}

/// Whether the operation is a compare-and-set that saw another value than it was to find.
pub(crate) fn is_observed(operation: &Operation) -> bool {
    let kind = operation.error().map(|error| error.kind);
    operation.f() == "cas"
        && operation.completion() == Completion::Fail
        && kind == Some(ErrorKind::Mismatch)
}
