//! Histories of Jepsen and Knossos: `history.edn`, and the lines of Jepsen's log that Porcupine
//! keeps as test data.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::build::Builder;
use super::edn::Forms;
use super::event::ABSENT;
use super::line::{Line, kind_of};
use super::read::{Malformed, ReadError};
use super::{ErrorKind, Event, EventError, Kind, Process};

/// Reads one map for each event, one after another or all in one vector or list.
pub(super) fn read_edn(input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let mut forms = Forms::new(input, 1);
    let close = forms.enter()?;
    loop {
        let form = match close {
            Some(close) => forms.next_inside(close)?,
            None => forms.next_form()?,
        };
        let Some(form) = form else { return Ok(()) };
        let event = event_of(form).map_err(|(expected, found)| forms.malformed(expected, found))?;
        builder.event(forms.line(), event)?;
    }
}

/// Reads lines such as `INFO  jepsen.util - 3 :ok :read 4`; all others are passed over.
pub(super) fn read_log(mut input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            break;
        }
        let Some((_, said)) = line.split_once("jepsen.util - ") else { continue };
        let (process, rest) = first_word(said);
        let (kind, rest) = first_word(rest);
        let Some(event) = logged(process, kind, rest, number)? else { continue };
        builder.event(number, event)?;
    }
    Ok(())
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// The event of a log line; `None` if the line is about something else.
fn logged(process: &str, kind: &str, rest: &str, line: u64) -> Result<Option<Event>, ReadError> {
    let (Ok(process), Some(kind)) = (process.parse(), kind.strip_prefix(':').and_then(kind_of))
    else {
        return Ok(None);
    };
    let mut forms = Forms::new(rest.as_bytes(), line);
    let Some(Value::String(f)) = forms.next_form()? else {
        return Err(forms.malformed("the name of a function", rest.trim()));
    };
    let value = forms.next_form()?.unwrap_or(Value::Null);
    let mut event = Event::new(ABSENT, ABSENT, kind, Process::Client(process), f);
    // Where something went wrong the log has the error in the place of the value.
    if matches!(kind, Kind::Fail | Kind::Info) && value.is_string() {
        event.error = Some(error_of(&value));
    } else {
        event.value = value;
    }
    Ok(Some(event))
}

fn event_of(form: Value) -> Result<Event, (String, String)> {
    let Value::Object(mut map) = form else {
        return Err(("a map for each event".to_owned(), form.to_string()));
    };
    let text = |map: &Map<String, Value>| Value::Object(map.clone()).to_string();
    let Some(kind) = map.get("type").and_then(Value::as_str).and_then(kind_of) else {
        return Err((":type :invoke, :ok, :fail or :info".to_owned(), text(&map)));
    };
    let process = match map.get("process") {
        Some(Value::Number(number)) if number.is_u64() => {
            Process::Client(number.as_u64().unwrap_or_default())
        }
        Some(Value::String(name)) if name == "nemesis" => Process::Nemesis,
        _ => return Err((":process with a number or :nemesis".to_owned(), text(&map))),
    };
    let f = match map.remove("f") {
        Some(Value::String(f)) => f,
        Some(other) if process == Process::Nemesis => other.to_string(),
        _ => return Err((":f with a name".to_owned(), text(&map))),
    };
    // Both are -1 or missing in some files.
    let natural = |field: &str| map.get(field).and_then(Value::as_u64).unwrap_or(ABSENT);
    let mut event = Event::new(natural("index"), natural("time"), kind, process, f);
    event.error = map.get("error").filter(|error| !error.is_null()).map(error_of);
    event.node = map.get("node").and_then(Value::as_str).map(|node| node.to_owned().into());
    event.value = map.remove("value").unwrap_or(Value::Null);
    // Jepsen has no such field, but Porcupine's key-value logs do.
    event.key = map.remove("key").filter(|key| !key.is_null()).map(|key| match key {
        Value::String(key) => key,
        other => other.to_string(),
    });
    Ok(event)
}

/// Jepsen's errors follow no rule, so nothing is read into them but their text.
fn error_of(error: &Value) -> EventError {
    let text = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    EventError { kind: ErrorKind::Other, text }
}

/// Splits the value `[k v]` of an operation on one of many independent objects, for which Jepsen
/// has no field of its own, into key and value.
pub(super) fn split_key(number: u64, line: &mut Line<'_>) -> Result<(), Malformed> {
    match line.value.take() {
        Value::Array(mut pair) if pair.len() == 2 => {
            line.value = pair.pop().unwrap_or_default();
            line.key = pair.pop().map(|key| match key {
                Value::String(key) => key.into(),
                other => other.to_string().into(),
            });
            Ok(())
        }
        other => Err(Malformed {
            line: number,
            expected: "[key, value] as the value of an operation on independent keys".to_owned(),
            found: other.to_string(),
        }),
    }
}
