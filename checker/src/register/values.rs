//! The values of one register, numbered in the order in which they were met.

use crate::history::Datum;
use crate::linearizable::ValueId;
use rustc_hash::FxHashMap;

/// Stands in [`Values::small`] for a number that was not met.
const UNMET: u32 = u32::MAX;

/// Numbers values from 0.
pub(crate) struct Values {
    /// By [`ValueId`].
    met: Vec<Datum>,
    /// Ids of small natural numbers: most histories write 1, 2, 3, and a table needs no hashing.
    small: Vec<u32>,
    /// Ids of all other values.
    others: FxHashMap<Datum, u32>,
}

impl Values {
    /// The first value has the number 0.
    pub fn beginning_with(first: &Datum) -> Values {
        let mut values =
            Values { met: Vec::new(), small: Vec::new(), others: FxHashMap::default() };
        values.id(first);
        values
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.met.len()
    }

    /// The value of an id.
    pub fn value(&self, id: ValueId) -> &Datum {
        &self.met[id.0 as usize]
    }

    /// The id of a value, if it has one.
    pub fn find(&self, value: &Datum) -> Option<ValueId> {
        let small = value.as_u64().and_then(|number| self.small.get(usize::try_from(number).ok()?));
        let id = match small {
            Some(id) if *id != UNMET => *id,
            _ if self.others.is_empty() => return None,
            _ => *self.others.get(value)?,
        };
        Some(ValueId(id))
    }

    /// The id of a value, a new one if it was not met before.
    pub fn id(&mut self, value: &Datum) -> ValueId {
        if let Some(id) = self.find(value) {
            return id;
        }
        let id = self.met.len() as u32;
        self.met.push(value.clone());
        // The table never gets much larger than what it holds, however large the numbers are.
        let room = 64 + 4 * self.met.len();
        match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
            Some(number) if number < room => {
                if number >= self.small.len() {
                    self.small.resize(number + 1, UNMET);
                }
                self.small[number] = id;
            }
            _ => {
                self.others.insert(value.clone(), id);
            }
        }
        ValueId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// The ids that a list of values gets are those of the obvious way to number them.
    #[track_caller]
    fn check(values: &[Value]) {
        let values: Vec<Datum> = values.iter().cloned().map(Datum::from).collect();
        let mut numbered = Values::beginning_with(&Datum::Null);
        let mut obvious = vec![&Datum::Null];
        for value in &values {
            let expected = obvious.iter().position(|met| *met == value).unwrap_or_else(|| {
                obvious.push(value);
                obvious.len() - 1
            });
            assert_eq!(numbered.id(value), ValueId(expected as u32), "{value}");
            assert_eq!(numbered.find(value), Some(ValueId(expected as u32)));
        }
        assert_eq!(numbered.len(), obvious.len());
        assert!(obvious.iter().zip(0..).all(|(met, id)| numbered.value(ValueId(id)) == *met));
        assert_eq!(numbered.find(&Datum::from("never met")), None);
    }

    #[test]
    fn numbers_that_look_alike_are_told_apart() {
        check(&[json!(1), json!(1.0), json!("1"), json!(-1), json!([1]), json!(1), json!(null)]);
        // 300 comes before the table is large enough for it, and again when it would be.
        check(&[json!(300)]);
        let mut grown: Vec<Value> = (0..300).rev().map(|number| json!(number)).collect();
        grown.insert(0, json!(300));
        grown.push(json!(300));
        check(&grown);
        check(&[json!(u64::MAX), json!(i64::MIN), json!(u64::MAX)]);
    }

    proptest! {
        #[test]
        fn any_order_of_any_numbers(numbers in prop::collection::vec(0..600_u64, 0..300)) {
            check(&numbers.into_iter().map(Value::from).collect::<Vec<_>>());
        }
    }
}
