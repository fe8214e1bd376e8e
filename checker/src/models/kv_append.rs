//! A string that can be replaced and appended to, one for each key.

use serde_json::Value;

use super::{Model, NoSuchOperation, Timed, Values};
use crate::history::Operation;

/// `get`, `put` and `append` of strings; empty at first, and a null answer is an empty string.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvAppend;

/// What was done with the string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Returned this.
    Get(Box<str>),
    /// Replaced the whole.
    Put(Box<str>),
    /// Added to the end.
    Append(Box<str>),
}

fn text(value: &Value) -> Result<Box<str>, NoSuchOperation> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Null => Ok("".into()),
        _ => Err(NoSuchOperation),
    }
}

impl Model for KvAppend {
    type Op = Op;
    type State = Box<str>;
    type Next = Option<Box<str>>;

    fn name(&self) -> &'static str {
        "kv-append"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        _values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        Ok(match operation.f.as_ref() {
            "get" | "read" if !answered => None,
            "get" | "read" => Some(Op::Get(text(&operation.result)?)),
            "put" | "write" => Some(Op::Put(text(&operation.argument)?)),
            "append" => Some(Op::Append(text(&operation.argument)?)),
            _ => return Err(NoSuchOperation),
        })
    }

    fn init(&self) -> Box<str> {
        "".into()
    }

    fn step(&self, state: &Box<str>, op: &Op) -> Option<Box<str>> {
        match op {
            Op::Get(seen) => (seen == state).then(|| state.clone()),
            Op::Put(new) => Some(new.clone()),
            Op::Append(more) => Some([state, &**more].concat().into_boxed_str()),
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

    fn heap_bytes(&self, state: &Box<str>) -> usize {
        state.len()
    }
}
