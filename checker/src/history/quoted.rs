//! Keys are texts here, whatever they are in a file. So that the number 5 and the text "5" stay
//! two objects, a text that looks like another kind of JSON stands in quotes while a file is read;
//! the quotes are taken off at its end unless that makes two keys one.

use std::borrow::Cow;

use rustc_hash::FxHashSet;
use serde_json::Value;

/// The value that a text is exactly how JSON writes, unless that is a text.
pub(super) fn is_other_json(text: &str) -> Option<Value> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || b"-tfn[{".contains(&first)) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let is_same = serde_json::to_string(&value).is_ok_and(|json| json == text);
    is_same.then_some(value)
}

/// The key that a value is; null stands for none.
pub(super) fn key_text(key: Value) -> Option<String> {
    match key {
        Value::Null => None,
        Value::String(text) => Some(match of_text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(quoted) => quoted,
        }),
        other => Some(other.to_string()),
    }
}

/// The key that a text is.
pub(super) fn of_text(text: &str) -> Cow<'_, str> {
    match text.starts_with('"') || is_other_json(text).is_some() {
        true => Cow::Owned(Value::from(text).to_string()),
        false => Cow::Borrowed(text),
    }
}

/// The text of a key in quotes.
pub(crate) fn unquoted(key: &str) -> Option<String> {
    if key.starts_with('"') { serde_json::from_str(key).ok() } else { None }
}

/// Takes the quotes off all keys, if they stay different from each other.
pub(super) fn unquote(keys: &mut [Option<String>]) {
    let texts: Vec<(usize, String)> = keys
        .iter()
        .enumerate()
        .filter_map(|(at, key)| Some((at, unquoted(key.as_deref()?)?)))
        .collect();
    let plain = keys.iter().flatten().map(String::as_str).filter(|key| !key.starts_with('"'));
    let others: FxHashSet<&str> =
        if texts.is_empty() { FxHashSet::default() } else { plain.collect() };
    if texts.iter().all(|(_, text)| !others.contains(text.as_str())) {
        for (at, text) in texts {
            keys[at] = Some(text);
        }
    }
}
