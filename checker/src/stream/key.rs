//! One register of a history that is still being written.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use crate::history::Kind;
use crate::linearizable::live::{Known, Live, OpId};
use crate::linearizable::{Call, ValueId};

/// Numbers of values are forgotten when there are twice as many as are in use, and so many more.
const SPARE: usize = 256;

pub(super) struct Key {
    pub(super) name: Option<String>,
    live: Live,
    values: FxHashMap<Value, ValueId>,
    next_value: u32,
    values_most: usize,
}

/// An operation that has not completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Called {
    op: OpId,
    is_read: bool,
}

impl Key {
    /// `initial` is null if it is not given.
    pub(super) fn new(name: Option<String>, initial: Option<&Value>) -> Key {
        let initial = initial.cloned().unwrap_or(Value::Null);
        let values = FxHashMap::from_iter([(initial, ValueId(0))]);
        Key { name, live: Live::new(ValueId(0)), values, next_value: 1, values_most: SPARE }
    }

    /// `None` if a register has no such operation.
    pub(super) fn invoke(&mut self, f: &str, argument: &Value) -> Option<Called> {
        let is_read = f == "read";
        let call = match (f, argument) {
            ("read", _) => None,
            ("write", value) => Some(Call::Write(self.id(value))),
            ("cas", Value::Array(pair)) if pair.len() == 2 => {
                Some(Call::Cas(self.id(&pair[0]), self.id(&pair[1])))
            }
            _ => return None,
        };
        Some(Called { op: self.live.invoke(call), is_read })
    }

    /// `says_nothing`: a read with this answer stands for any.
    pub(super) fn complete(
        &mut self,
        called: Called,
        kind: Kind,
        value: &Value,
        says_nothing: bool,
    ) {
        let Called { op, is_read } = called;
        match kind {
            Kind::Ok if !is_read => self.live.complete(op, None),
            Kind::Ok if !says_nothing => {
                let answer = self.id(value);
                self.live.complete(op, Some(answer));
            }
            Kind::Info if !is_read => self.live.crash(op),
            Kind::Ok | Kind::Info | Kind::Fail | Kind::Invoke => self.live.fail(op),
        }
    }

    /// Whether the operations so far are a violation; an error says why nobody can tell.
    pub(super) fn look(&mut self) -> Result<bool, String> {
        let known = self.live.look();
        self.forget_values();
        match known {
            Known::Explained => Ok(false),
            Known::Refuted => Ok(true),
            Known::GivenUp(limit) => {
                let key = self.name.as_deref().map_or(String::new(), |key| format!("key {key}: "));
                Err(format!("budget: {key}the limit on {limit} ended the search"))
            }
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.live.is_exact()
    }

    fn id(&mut self, value: &Value) -> ValueId {
        if let Some(id) = self.values.get(value) {
            return *id;
        }
        let id = ValueId(self.next_value);
        self.next_value += 1;
        self.values.insert(value.clone(), id);
        id
    }

    /// A value that nothing refers to any more is as good as a new one.
    fn forget_values(&mut self) {
        if self.values.len() > self.values_most {
            let in_use: FxHashSet<ValueId> = self.live.values().collect();
            self.values.retain(|_, id| in_use.contains(id));
            self.values_most = 2 * self.values.len() + SPARE;
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Key {
    /// How much is held: operations, their events, values.
    pub(super) fn held(&self) -> usize {
        self.live.held() + self.values.len()
    }
}
