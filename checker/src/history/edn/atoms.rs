//! What EDN has and JSON has not, as texts that no other form is read as.
//!
//! The marks are those of Transit, the notation that Clojure's own tools use for EDN in JSON:
//! `~:a` is the keyword `:a`, `~$a` a symbol, `~ca` a character, `~n` and `~f` a number that no
//! number of JSON holds exactly, `~r1/2` a ratio, `~zNaN` a special number, `~#inst ...` a text with
//! a tag. A text that looks like one of these gets one more `~`. Fields of a map are the names of
//! their keywords, and a text that could be such a name is marked with `~'`.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Forms, ends_token};
use crate::history::quoted::is_other_json;

/// A text as a form: itself, unless it looks like something else.
pub(super) fn of_text(text: String) -> Value {
    Value::String(if is_taken(&text) { format!("~{text}") } else { text })
}

/// How EDN writes what a text stands for; `None` if that is a text, see [`text_of`].
pub(super) fn edn_of(marked: &str) -> Option<String> {
    let mut signs = marked.strip_prefix('~')?.chars();
    let kind = signs.next()?;
    let rest = signs.as_str();
    let edn = match kind {
        ':' => format!(":{rest}"),
        '$' | 'n' | 'r' => rest.to_owned(),
        'c' => format!("\\{rest}"),
        'f' => format!("{rest}M"),
        'z' => format!("##{rest}"),
        '#' => {
            let (tag, form) = rest.split_once(' ').filter(|(_, form)| !form.starts_with("~#"))?;
            let form = edn_of(form).unwrap_or_else(|| Value::from(text_of(form)).to_string());
            format!("#{tag} {form}")
        }
        _ => return None,
    };
    // Whatever else is read as something else than this.
    let read = Forms::new(edn.as_bytes(), 1).next_form();
    matches!(read, Ok(Some(Value::String(again))) if again == marked).then_some(edn)
}

/// The text that a form stands for which is no [atom](edn_of).
pub(super) fn text_of(form: &str) -> &str {
    form.strip_prefix('~').filter(|text| is_taken(text)).unwrap_or(form)
}

/// The text or the name that a form stands for, where it does not matter which of them it is.
pub(in crate::history) fn name_of(form: &str) -> &str {
    match form.strip_prefix("~:").or(form.strip_prefix("~$")) {
        Some(name) => name,
        None => text_of(form),
    }
}

fn is_taken(text: &str) -> bool {
    let marks = text.bytes().take_while(|byte| *byte == b'~').count();
    marks > 0 && edn_of(&text[marks - 1..]).is_some()
}

/// The field of a map that a form is the key of.
pub(super) fn field_of(key: Value) -> String {
    let Value::String(form) = key else { return key.to_string() };
    match form.strip_prefix("~:") {
        Some(name) if is_field_name(name) => return name.to_owned(),
        _ if edn_of(&form).is_some() => return form,
        _ => {}
    }
    let text = text_of(&form);
    if needs_mark(text) { format!("~'{text}") } else { text.to_owned() }
}

/// What a field of a map is the name of.
pub(super) enum Field<'a> {
    Keyword(&'a str),
    Text(&'a str),
    /// Something else, as EDN writes it.
    Atom(String),
    /// Something else, which JSON has.
    Other(Value),
}

/// The opposite of [`field_of`].
pub(super) fn key_of(field: &str) -> Field<'_> {
    if is_field_name(field) {
        return Field::Keyword(field);
    }
    if let Some(value) = is_other_json(field) {
        return Field::Other(value);
    }
    match (is_key_atom(field), field.strip_prefix("~'")) {
        (Some(atom), _) => Field::Atom(atom),
        (None, Some(text)) if needs_mark(text) => Field::Text(text),
        _ => Field::Text(field),
    }
}

fn needs_mark(text: &str) -> bool {
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix("~'") {
        rest = inner;
    }
    is_field_name(rest) || is_other_json(rest).is_some() || is_key_atom(rest).is_some()
}

/// Of an atom, but not one whose field is only its name, how EDN writes it.
fn is_key_atom(field: &str) -> Option<String> {
    let is_name = field.strip_prefix("~:").is_some_and(is_field_name);
    if is_name { None } else { edn_of(field) }
}

/// Whether a keyword of this name can be written, and is no other form without its colon.
fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('~')
        && !name.bytes().any(ends_token)
        && is_other_json(name).is_none()
}

/// Integers and decimals, with or without the suffix of arbitrary precision, and whatever else a
/// word without quotes can be.
pub(super) fn of_token(token: &str) -> Value {
    match token {
        "nil" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    if token.starts_with(':') {
        return Value::String(format!("~{token}"));
    }
    number(token).unwrap_or_else(|| Value::String(format!("~${token}")))
}

fn number(token: &str) -> Option<Value> {
    let (minus, unsigned) = match token.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", token.strip_prefix('+').unwrap_or(token)),
    };
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let whole = unsigned.strip_suffix('N').unwrap_or(unsigned);
    if is_digits(whole) {
        let digits = whole.trim_start_matches('0');
        let signed = format!("{minus}{}", if digits.is_empty() { "0" } else { digits });
        return Some(match (signed.parse::<i64>(), signed.parse::<u64>()) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => Value::String(format!("~n{signed}")),
        });
    }
    if let Some((over, under)) = whole.split_once('/') {
        return (is_digits(over) && is_digits(under))
            .then(|| Value::String(format!("~r{minus}{whole}")));
    }
    let digits = unsigned.strip_suffix('M').unwrap_or(unsigned);
    let float: f64 = format!("{minus}{digits}").parse().ok()?;
    // So many digits are the same after they were a float.
    const EXACT_DIGITS: usize = 15;
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let is_exact = mantissa.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS;
    if unsigned.ends_with('M') && !(is_exact && (float.is_normal() || mantissa == digits)) {
        let plain = if mantissa == digits { trim_zeros(digits) } else { digits };
        return Some(Value::String(format!("~f{minus}{plain}")));
    }
    Number::from_f64(float).map(Value::Number)
}

/// 1.50 is 1.5.
fn trim_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

/// The elements of a set in the order that makes equal sets equal; an error is an element that is
/// there twice.
pub(super) fn in_order(mut elements: Vec<Value>) -> Result<Vec<Value>, Value> {
    elements.sort_by(compare);
    match elements.windows(2).position(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(elements.swap_remove(twice)),
        None => Ok(elements),
    }
}

/// Numbers by their size, texts by their letters, lists by their elements.
fn compare(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let whole = |number: &Number| {
                number.as_i64().map(i128::from).or(number.as_u64().map(i128::from))
            };
            let float = |number: &Number| number.as_f64().unwrap_or_default();
            match (whole(one), whole(other)) {
                (None, None) => float(one).total_cmp(&float(other)),
                // Whole numbers come first: no order by size holds among all of both kinds.
                (one, other) => one.is_none().cmp(&other.is_none()).then(one.cmp(&other)),
            }
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let elements = one.iter().zip(other).map(|(one, other)| compare(one, other));
            elements.fold(Ordering::Equal, Ordering::then).then(one.len().cmp(&other.len()))
        }
        (Value::Object(_), Value::Object(_)) => one.to_string().cmp(&other.to_string()),
        _ => rank(one).cmp(&rank(other)).then_with(|| one.to_string().cmp(&other.to_string())),
    }
}
