//! Values of a history as numbers.

use rustc_hash::FxHashMap;

use super::NoSuchOperation;
use crate::history::Datum;
use crate::linearizable::ValueId;

/// Numbers the values of one object's operations from 0, so that states are small.
#[derive(Debug)]
pub struct Values {
    ids: FxHashMap<Datum, ValueId>,
}

impl Default for Values {
    fn default() -> Self {
        Values { ids: FxHashMap::from_iter([(Datum::Null, Values::NULL)]) }
    }
}

impl Values {
    /// The number of null.
    pub const NULL: ValueId = ValueId(0);

    /// The number of a value: equal values have the same one.
    pub fn id(&mut self, value: &Datum) -> ValueId {
        if let Some(id) = self.ids.get(value) {
            return *id;
        }
        let id = ValueId(self.ids.len() as u32);
        self.ids.insert(value.clone(), id);
        id
    }

    /// The elements of an array, in its order.
    ///
    /// # Errors
    /// If the value is not an array.
    pub fn list(&mut self, value: &Datum) -> Result<Box<[ValueId]>, NoSuchOperation> {
        let elements = value.as_array().ok_or(NoSuchOperation)?;
        Ok(elements.iter().map(|element| self.id(element)).collect())
    }

    /// The elements of an array whose order says nothing: each once, in the order of their numbers.
    ///
    /// # Errors
    /// If the value is not an array.
    pub fn set(&mut self, value: &Datum) -> Result<Box<[ValueId]>, NoSuchOperation> {
        let mut elements = self.list(value)?.into_vec();
        elements.sort_unstable();
        elements.dedup();
        Ok(elements.into())
    }
}
