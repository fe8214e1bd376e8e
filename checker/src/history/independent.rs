//! Keys that are part of the values.
//!
//! Jepsen's `independent` gives each operation a value `[k v]` of key and value, for which a map has
//! no field of its own.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::line::Line;
use super::read::Malformed;
use super::{History, KeyId, Operation};

/// Splits the value `[k v]` of a line into key and value.
pub(super) fn split_key(number: u64, line: &mut Line<'_>) -> Result<(), Malformed> {
    match line.value.take() {
        Value::Array(mut pair) if pair.len() == 2 => {
            line.value = pair.pop().unwrap_or_default();
            line.key = pair.pop().and_then(key_text).map(Into::into);
            Ok(())
        }
        other => Err(Malformed {
            line: number,
            expected: "[key, value] as the value of an operation on independent keys".to_owned(),
            found: other.to_string(),
        }),
    }
}

/// Every key is a text; nil stands for none.
pub(super) fn key_text(key: Value) -> Option<String> {
    match key {
        Value::Null => None,
        Value::String(key) => Some(key),
        other => Some(other.to_string()),
    }
}

/// Splits all values of a history without keys if they are pairs of key and value beyond doubt: a
/// read asks for `[k nil]`, which is no other argument of a read, and every other value that a
/// pair stands for is one.
pub(super) fn split_keys_if_any(history: &mut History) {
    let has_no_keys = history.keys.iter().all(Option::is_none);
    let mut asks = false;
    let mut all_pairs = true;
    for operation in &history.operations {
        let argument = pair(&operation.argument);
        asks |= operation.is_read() && argument.is_some_and(|(_, value)| value.is_null());
        all_pairs &= argument.is_some_and(|(key, value)| {
            let same_key = pair(&operation.result).is_some_and(|(of_result, _)| of_result == key);
            (!operation.is_read() || value.is_null()) && (!operation.is_ok() || same_key)
        });
    }
    if !(has_no_keys && asks && all_pairs) {
        return;
    }
    let mut ids: FxHashMap<String, KeyId> = FxHashMap::default();
    history.keys.clear();
    for operation in &mut history.operations {
        let Some(key) = split(operation) else { continue };
        operation.key = *ids.entry(key).or_insert_with_key(|key| {
            history.keys.push(Some(key.clone()));
            KeyId((history.keys.len() - 1) as u32)
        });
    }
}

fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value.as_array().map(Vec::as_slice) {
        Some([key, value]) if !key.is_null() && !key.is_array() => Some((key, value)),
        _ => None,
    }
}

/// Takes the key out of an operation's values.
fn split(operation: &mut Operation) -> Option<String> {
    let of_result = pair(&operation.result).map(|(key, _)| key);
    if of_result.is_some() && of_result == pair(&operation.argument).map(|(key, _)| key) {
        operation.result = operation.result[1].take();
    }
    let value = operation.argument[1].take();
    let key = operation.argument[0].take();
    operation.argument = value;
    key_text(key)
}
