//! Values of a history as numbers.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::linearizable::ValueId;

/// Numbers the values of one object's operations from 0, so that states are small.
#[derive(Debug)]
pub struct Values {
    ids: FxHashMap<Value, ValueId>,
}

impl Default for Values {
    fn default() -> Self {
        Values { ids: FxHashMap::from_iter([(Value::Null, Values::NULL)]) }
    }
}

impl Values {
    /// The number of null.
    pub const NULL: ValueId = ValueId(0);

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
