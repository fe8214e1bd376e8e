//! Writes histories the way that Jepsen does.

use std::io::{self, Write};

use serde_json::Value;

use super::atoms::{Field, edn_of, key_of, text_of};
use super::{HEADER, INDEPENDENT, STEPS};
use crate::history::quoted::is_other_json;
use crate::history::{ErrorKind, Event, EventError, History, Kind, Process};

/// Writes a map for each event, and before them, as comments, what Jepsen has no place for.
pub(in crate::history) fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    if let Some(header) = history.header() {
        writeln!(out, "{HEADER}{}", serde_json::to_string(header)?)?;
    }
    let independent = history.keys().iter().any(Option::is_some);
    if independent {
        writeln!(out, "{INDEPENDENT}")?;
    }
    let mut text = String::new();
    for event in history.events() {
        text.clear();
        map_of(&event, independent, &mut text);
        writeln!(out, "{text}")?;
    }
    Ok(())
}

fn map_of(event: &Event, independent: bool, text: &mut String) {
    let kind = match event.kind {
        Kind::Invoke => ":invoke",
        Kind::Ok => ":ok",
        Kind::Fail => ":fail",
        Kind::Info => ":info",
    };
    let (index, time) = (event.index, event.time);
    *text += &format!("{{:index {index}, :time {time}, :type {kind}, :process ");
    let is_client = matches!(event.process, Process::Client(_));
    match event.process {
        Process::Client(number) => *text += &number.to_string(),
        Process::Nemesis | Process::Harness => *text += &format!(":{}", event.process),
    }
    *text += ", :f ";
    name(&event.f, text);
    *text += ", :value ";
    match is_client && independent {
        true => {
            *text += "[";
            match &event.key {
                Some(key) => key_name(key, text),
                None => *text += "nil",
            }
            *text += " ";
            operation_value(event, text);
            *text += "]";
        }
        false => operation_value(event, text),
    }
    let numbers =
        [("version", event.version), ("client", event.client.map(u64::from)), ("due", event.due)];
    for (field, number) in numbers.into_iter().chain([("id", event.id)]) {
        if let Some(number) = number {
            *text += &format!(", :{field} {number}");
        }
    }
    if event.probe {
        *text += ", :probe true";
    }
    let texts = [("node", event.node.as_deref()), ("reason", event.reason.as_deref())];
    for (field, found) in texts {
        if let Some(found) = found {
            *text += &format!(", :{field} ");
            string(found, text);
        }
    }
    for (field, found) in [("fault", &event.fault), ("effect", &event.effect)] {
        if let Some(found) = found {
            *text += &format!(", :{field} ");
            name(found, text);
        }
    }
    if let Some(EventError { kind, text: said }) = &event.error {
        *text += &format!(", :error [:{} ", error_name(*kind));
        string(said, text);
        *text += "]";
    }
    *text += "}";
}

/// The names of micro-operations are keywords.
fn operation_value(event: &Event, text: &mut String) {
    let Some(steps) = event.value.as_array().filter(|_| event.f == "txn") else {
        return value(&event.value, text);
    };
    *text += "[";
    for (at, step) in steps.iter().enumerate() {
        *text += if at > 0 { " " } else { "" };
        match step.as_array().map(Vec::as_slice) {
            Some([Value::String(what), rest @ ..]) => {
                *text += "[";
                match STEPS.contains(&what.as_str()) {
                    true => name(what, text),
                    false => value(&step[0], text),
                }
                for element in rest {
                    *text += " ";
                    value(element, text);
                }
                *text += "]";
            }
            _ => value(step, text),
        }
    }
    *text += "]";
}

/// No value nests deeper than the readers let it.
fn value(found: &Value, text: &mut String) {
    match found {
        Value::Null => *text += "nil",
        Value::Bool(found) => *text += if *found { "true" } else { "false" },
        Value::Number(number) => *text += &number.to_string(),
        Value::String(found) => match edn_of(found) {
            Some(atom) => *text += &atom,
            None => string(text_of(found), text),
        },
        Value::Array(elements) => {
            *text += "[";
            for (at, element) in elements.iter().enumerate() {
                *text += if at > 0 { " " } else { "" };
                value(element, text);
            }
            *text += "]";
        }
        Value::Object(map) => {
            *text += "{";
            for (at, (key, element)) in map.iter().enumerate() {
                *text += if at > 0 { ", " } else { "" };
                map_key(key, text);
                *text += " ";
                value(element, text);
            }
            *text += "}";
        }
    }
}

fn map_key(field: &str, text: &mut String) {
    match key_of(field) {
        Field::Keyword(keyword) => {
            text.push(':');
            *text += keyword;
        }
        Field::Text(found) => string(found, text),
        Field::Atom(atom) => *text += &atom,
        Field::Other(other) => value(&other, text),
    }
}

/// The key of an object: a number if it is one, as Jepsen's keys are.
fn key_name(key: &str, text: &mut String) {
    match is_other_json(key).filter(|other| !other.is_null()) {
        Some(other) => value(&other, text),
        None => value(&Value::from(key), text),
    }
}

/// A keyword if it can be one, else a string: of a name it does not matter which.
fn name(name: &str, text: &mut String) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*+!?".contains(&byte);
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(is_plain) {
        *text += ":";
        *text += name;
    } else {
        string(name, text);
    }
}

fn string(found: &str, text: &mut String) {
    text.push('"');
    for character in found.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => *text += "\\n",
            '\t' => *text += "\\t",
            '\r' => *text += "\\r",
            control if control < ' ' => *text += &format!("\\u{:04x}", u32::from(control)),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// The name of a kind of error.
pub(in crate::history) fn error_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Mismatch => "mismatch",
        ErrorKind::Refused => "refused",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Connection => "connection",
        ErrorKind::Other => "other",
    }
}
