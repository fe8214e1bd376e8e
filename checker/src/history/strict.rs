//! JSON as it stands: no number is rounded, and no field given twice, without a word.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Malformed;
use super::event::ABSENT;

/// What to write instead.
const WHOLE: &str = "whole numbers of at most 64 bits (longer ones can be given as texts)";

/// Reads a value from a text of its own, such as a flag.
///
/// # Errors
/// If it is no JSON, or JSON that would not be kept as it stands; the line is that of the text.
pub fn parse_value(text: &str) -> Result<Value, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = value(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    let value = read.map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        Malformed::new(error.line().max(1) as u64, format!("JSON ({why})"), text)
    })?;
    exact(&value, text.as_bytes())
        .map_err(|(expected, found)| Malformed::new(1, expected, found))?;
    Ok(value)
}

/// Reads a value in which no field of an object is given twice.
pub(super) fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Strict.deserialize(deserializer)
}

/// A key, which is a text here. Other tools write numbers too.
pub(super) fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let key = value(deserializer)?;
    match has_large_float(&key) {
        true => Err(de::Error::custom(format!("a key has to consist of {WHOLE}"))),
        false => Ok(super::quoted::key_text(key)),
    }
}

/// An index or a time. Other tools write -1 or null for one that they do not know.
pub(super) fn natural<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given = value(deserializer)?;
    natural_of(&given).ok_or_else(|| de::Error::custom(format!("{given} is not {NATURAL}")))
}

/// What an index or a time can be.
pub(super) const NATURAL: &str = "0 or more, or -1 for unknown";

/// The same of a value.
pub(super) fn natural_of(given: &Value) -> Option<u64> {
    match given {
        Value::Null => Some(ABSENT),
        Value::Number(number) if number.as_i64() == Some(-1) => Some(ABSENT),
        other => other.as_u64(),
    }
}

/// Whether a value is what the text says that it was read from: a reader of JSON makes a float of a
/// whole number that is too long. An error says what was expected and what is there.
pub(crate) fn exact(value: &Value, text: &[u8]) -> Result<(), (String, String)> {
    match has_large_float(value).then(|| long_whole_number(text)).flatten() {
        Some(number) => Err((WHOLE.to_owned(), number)),
        None => Ok(()),
    }
}

/// No value nests deeper than the readers let it.
fn has_large_float(value: &Value) -> bool {
    /// All whole numbers that are larger are floats.
    const LARGE: f64 = 9e18;
    match value {
        Value::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|n| n.abs() > LARGE)
        }
        Value::Array(elements) => elements.iter().any(has_large_float),
        Value::Object(fields) => fields.values().any(has_large_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The first whole number in a JSON text that does not fit into 64 bits.
fn long_whole_number(text: &[u8]) -> Option<String> {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let mut rest = text;
    let mut in_string = false;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'\\' if in_string => rest = after.get(1..).unwrap_or_default(),
            b'"' => in_string = !in_string,
            b'-' | b'0'..=b'9' if !in_string => {
                let end = after.iter().position(|byte| !is_of_number(byte)).unwrap_or(after.len());
                let number = &text[text.len() - after.len() - 1..text.len() - after.len() + end];
                rest = &after[end..];
                let number = String::from_utf8_lossy(number);
                let is_whole = !number.contains(['.', 'e', 'E']);
                if is_whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some(number.into_owned());
                }
            }
            _ => {}
        }
    }
    None
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = elements.next_element_seed(Strict)? {
            all.push(element);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(field) = fields.next_key::<String>()? {
            if all.contains_key(&field) {
                return Err(de::Error::custom(format!("duplicate field `{field}`")));
            }
            let value = fields.next_value_seed(Strict)?;
            all.insert(field, value);
        }
        Ok(Value::Object(all))
    }
}
