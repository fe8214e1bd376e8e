//! The values of operations.

use std::fmt;
use std::ops::Index;

use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value};
use smol_str::SmolStr;

use super::steps::Steps;

/// Any JSON value, in 24 bytes: numbers and texts of up to 23 bytes need no memory beyond that, and
/// to clone a longer text copies nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Datum {
    /// Null, which also stands for no value at all.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number, whole or not.
    Number(Number),
    /// A text.
    Text(SmolStr),
    /// An array that does not stand for steps.
    List(Box<[Datum]>),
    /// An array of a transaction's steps.
    Steps(Steps),
    /// Anything else.
    Object(Box<Map<String, Value>>),
}

static NULL: Datum = Datum::Null;

impl Datum {
    /// Null, to refer to.
    pub(crate) fn null() -> &'static Datum {
        &NULL
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        *self == Datum::Null
    }

    /// True or false, if it is one of these.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Datum::Bool(found) => Some(*found),
            _ => None,
        }
    }

    /// The number, if it is a whole one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Datum::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The number, if it is a whole one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Datum::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Datum::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a transaction did or was to do, if it is that.
    pub fn as_steps(&self) -> Option<&Steps> {
        match self {
            Datum::Steps(steps) => Some(steps),
            _ => None,
        }
    }

    /// The same, where an array that could stand for steps is an array.
    pub(super) fn without_steps(self) -> Datum {
        match self {
            Datum::Steps(steps) => match steps.value() {
                Value::Array(steps) => steps.into_iter().map(Datum::from).collect(),
                other => other.into(),
            },
            other => other,
        }
    }

    /// The elements, if it is an array but not of [steps](Datum::as_steps).
    pub fn as_array(&self) -> Option<&[Datum]> {
        match self {
            Datum::List(elements) => Some(elements),
            _ => None,
        }
    }
}

/// An element of an array; null where there is none, as of a [`Value`], and of steps.
impl Index<usize> for Datum {
    type Output = Datum;

    fn index(&self, at: usize) -> &Datum {
        self.as_array().and_then(|elements| elements.get(at)).unwrap_or(&NULL)
    }
}

impl From<u64> for Datum {
    fn from(number: u64) -> Datum {
        Datum::Number(number.into())
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Datum {
        Datum::Text(text.into())
    }
}

impl From<Value> for Datum {
    fn from(value: Value) -> Datum {
        match value {
            Value::Null => Datum::Null,
            Value::Bool(found) => Datum::Bool(found),
            Value::Number(number) => Datum::Number(number),
            Value::String(text) => Datum::Text(text.into()),
            Value::Array(elements) => match Steps::of(&elements) {
                Some(steps) => Datum::Steps(steps),
                None => elements.into_iter().map(Datum::from).collect(),
            },
            Value::Object(map) => Datum::Object(Box::new(map)),
        }
    }
}

impl FromIterator<Datum> for Datum {
    fn from_iter<I: IntoIterator<Item = Datum>>(elements: I) -> Datum {
        Datum::List(elements.into_iter().collect())
    }
}

impl From<&Datum> for Value {
    fn from(datum: &Datum) -> Value {
        match datum {
            Datum::Null => Value::Null,
            Datum::Bool(found) => Value::Bool(*found),
            Datum::Number(number) => Value::Number(number.clone()),
            Datum::Text(text) => Value::String(text.to_string()),
            Datum::List(elements) => elements.iter().map(Value::from).collect(),
            Datum::Steps(steps) => steps.value(),
            Datum::Object(map) => Value::Object((**map).clone()),
        }
    }
}

impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Datum::Null => serializer.serialize_unit(),
            Datum::Bool(found) => serializer.serialize_bool(*found),
            Datum::Number(number) => number.serialize(serializer),
            Datum::Text(text) => serializer.serialize_str(text),
            Datum::List(elements) => serializer.collect_seq(elements),
            Datum::Steps(steps) => steps.value().serialize(serializer),
            Datum::Object(map) => map.serialize(serializer),
        }
    }
}

/// As JSON.
impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What a value becomes is the same in every respect.
    #[track_caller]
    fn check(value: &Value) {
        let datum = Datum::from(value.clone());
        assert_eq!(Value::from(&datum), *value);
        assert_eq!(datum.to_string(), value.to_string());
        assert_eq!(datum.is_null(), value.is_null());
        assert_eq!(datum.as_bool(), value.as_bool());
        assert_eq!(datum.as_u64(), value.as_u64());
        assert_eq!(datum.as_i64(), value.as_i64());
        assert_eq!(datum.as_str(), value.as_str());
        if datum.as_steps().is_some() {
            return;
        }
        assert_eq!(datum.as_array().map(<[Datum]>::len), value.as_array().map(Vec::len));
        for at in 0..3 {
            assert_eq!(Value::from(&datum[at]), value[at]);
        }
    }

    #[test]
    fn nothing_is_lost() {
        check(&json!(null));
        check(&json!([true, false]));
        check(&json!([0, u64::MAX, i64::MIN, -1, 1.0, 1, 0.1]));
        check(&json!([
            "",
            "23 bytes fit in a datum.",
            "and more than these do so as well",
            "\"\n"
        ]));
        check(&json!([["r", "x", null], {"a": {"b": []}}, []]));
        for value in [json!(1), json!(-7), json!(1.5), json!(true), json!("x"), json!({})] {
            check(&value);
        }
    }

    #[test]
    fn what_looks_alike_is_told_apart() {
        let alike = [json!(1), json!(1.0), json!("1"), json!([1]), json!(true), json!([[1]])];
        let alike = alike.map(Datum::from);
        for (at, one) in alike.iter().enumerate() {
            for (other_at, other) in alike.iter().enumerate() {
                assert_eq!(one == other, at == other_at, "{one} and {other}");
            }
        }
    }

    #[test]
    fn it_is_small() {
        assert_eq!(size_of::<Datum>(), 24);
    }
}
