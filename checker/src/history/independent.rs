//! Keys that are part of the values.
//!
//! Jepsen's `independent` gives each operation a value `[k v]` of key and value, for which a map has
//! no field of its own.

use rustc_hash::FxHashMap;

use super::line::Line;
use super::quoted::key_text;
use super::{Datum, History, KeyId, Kind, Malformed, Operation, shown};

/// Splits the value `[k v]` of a line into key and value.
pub(super) fn split_key(number: u64, line: &mut Line<'_>) -> Result<(), Malformed> {
    let is_read = Operation::reads(line.f);
    match std::mem::take(&mut line.value) {
        Datum::List(pair) if pair.len() == 2 => {
            line.key = key_text((&pair[0]).into()).map(Into::into);
            line.value = pair[1].clone();
            Ok(())
        }
        // What did not happen, or nobody knows of, has no value; its key is that of its invocation.
        Datum::Null if line.kind != Kind::Invoke && !(line.kind == Kind::Ok && is_read) => Ok(()),
        other => Err(Malformed::new(
            number,
            "[key, value] as the value of an operation on independent keys",
            shown(&other),
        )),
    }
}

/// Splits all values of a history without keys if they are pairs of key and value beyond doubt: a
/// read asks for `[k nil]`, which is no other argument of a read, or an insertion is of a row of
/// Adya's G2, `[k [id nil]]` or `[k [nil id]]`, and every other value that a pair stands for is one.
pub(super) fn split_keys_if_any(history: &mut History) {
    let has_no_keys = history.keys.iter().all(Option::is_none);
    let mut asks = false;
    let mut all_pairs = true;
    for operation in &history.operations {
        let argument = pair(operation.argument());
        asks |= argument.is_some_and(|(_, value)| {
            (operation.is_read() && value.is_null()) || (operation.f() == "insert" && is_row(value))
        });
        all_pairs &= argument.is_some_and(|(key, value)| {
            let same_key = pair(operation.result()).is_some_and(|(of_result, _)| of_result == key);
            let is_read = operation.is_read();
            // Of a write nothing more than its key can be answered, and that is not always.
            let answered = same_key || (!is_read && operation.result().is_null());
            (!is_read || value.is_null()) && (!operation.is_ok() || answered)
        });
    }
    if !(has_no_keys && asks && all_pairs) {
        return;
    }
    let mut ids: FxHashMap<String, KeyId> = FxHashMap::default();
    history.keys.clear();
    for operation in &mut history.operations {
        let Some((key, argument)) = pair(operation.argument()) else { continue };
        let result = match pair(operation.result()) {
            Some((same, value)) if same == key => value,
            _ => operation.result(),
        };
        let (argument, result) = (argument.clone(), result.clone());
        let Some(key) = key_text(key.into()) else { continue };
        let key = *ids.entry(key).or_insert_with_key(|key| {
            history.keys.push(Some(key.clone()));
            KeyId((history.keys.len() - 1) as u32)
        });
        operation.set_values(key, argument, result);
    }
}

/// Of one of two tables.
fn is_row(value: &Datum) -> bool {
    matches!(value.as_array(), Some([one, other]) if one.is_null() != other.is_null())
}

fn pair(value: &Datum) -> Option<(&Datum, &Datum)> {
    match value.as_array() {
        Some([key, value]) if !key.is_null() && key.as_array().is_none() => Some((key, value)),
        _ => None,
    }
}
