//! Values of a history as numbers.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::linearizable::ValueId;

/// Numbers the values of one object's operations from 0, so that states are small.
#[derive(Debug, Default)]
pub struct Values {
    ids: FxHashMap<Value, ValueId>,
}

impl Values {
    /// The number of a value: equal values have the same one.
    pub fn id(&mut self, value: &Value) -> ValueId {
        if let Some(id) = self.ids.get(value) {
            return *id;
        }
        let id = ValueId(self.ids.len() as u32);
        self.ids.insert(value.clone(), id);
        id
    }
}
