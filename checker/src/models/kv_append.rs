//! A string that can be replaced and appended to, one for each key.

use smol_str::{SmolStr, SmolStrBuilder};

use super::{Model, NoSuchOperation, Timed, Values};
use crate::history::{Datum, Operation};

/// `get`, `put` and `append` of strings; empty at first, and a null answer is an empty string.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvAppend;

/// What was done with the string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Returned this.
    Get(SmolStr),
    /// Replaced the whole.
    Put(SmolStr),
    /// Added to the end.
    Append(SmolStr),
}

fn text(value: &Datum) -> Result<SmolStr, NoSuchOperation> {
    match value {
        Datum::Text(text) => Ok(text.clone()),
        Datum::Null => Ok(SmolStr::default()),
        _ => Err(NoSuchOperation),
    }
}

impl Model for KvAppend {
    type Op = Op;
    type State = SmolStr;
    type Next = Option<SmolStr>;

    fn name(&self) -> &'static str {
        "kv-append"
    }

    fn operations(&self) -> &'static str {
        "get; put and append of a text, or null for the empty one"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        _values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f() {
            "get" | "read" if !answered => None,
            "get" | "read" => Some(Op::Get(text(operation.result())?)),
            "put" | "write" => Some(Op::Put(text(operation.argument())?)),
            "append" => Some(Op::Append(text(operation.argument())?)),
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> SmolStr {
        SmolStr::default()
    }

    fn step(&self, state: &SmolStr, op: &Op) -> Option<SmolStr> {
        match op {
            Op::Get(seen) => (seen == state).then(|| state.clone()),
            Op::Put(new) => Some(new.clone()),
            Op::Append(more) => {
                let mut text = SmolStrBuilder::new();
                text.push_str(state);
                text.push_str(more);
                Some(text.finish())
            }
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Get(_))
    }

    /// What was appended stays in sight until the next put; if no answer shows it, then nothing
    /// was read in between. A put hides what was before it, so it matters always.
    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        let seen = |text: &str| {
            ops.iter().any(|op| matches!(&op.op, Op::Get(seen) if seen.contains(text)))
        };
        let unseen = |at: &usize| match &ops[*at].op {
            Op::Append(text) => !text.is_empty() && !seen(text),
            Op::Get(_) | Op::Put(_) => false,
        };
        among.iter().copied().filter(unseen).collect()
    }

    fn heap_bytes(&self, state: &SmolStr) -> usize {
        state.len()
    }
}
