//! Histories of Jepsen and Knossos: `history.edn`, and the lines of Jepsen's log that Porcupine
//! keeps as test data.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::build::Builder;
use super::edn::{Forms, HEADER, INDEPENDENT, error_name};
use super::event::ABSENT;
use super::independent::key_text;
use super::jsonl::supported;
use super::line::kind_of;
use super::lines::{each_line, text_of};
use super::read::ReadError;
use super::{ErrorKind, Event, EventError, Kind, Process};

/// Reads one map for each event, one after another or all in one vector or list.
pub(super) fn read_edn(mut input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let line = read_comments(&mut input, builder)?;
    let mut forms = Forms::new(input, line);
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

/// Reads the comments in which our own writer keeps what Jepsen has no place for, and returns the
/// number of the line after them.
fn read_comments(input: &mut impl BufRead, builder: &mut Builder) -> Result<u64, ReadError> {
    let mut line = Vec::new();
    for number in 1.. {
        let ours = input.fill_buf()?.starts_with(HEADER.as_bytes());
        if !ours && !input.fill_buf()?.starts_with(INDEPENDENT.as_bytes()) {
            return Ok(number);
        }
        line.clear();
        input.read_until(b'\n', &mut line)?;
        match text_of(number, &line)?.strip_prefix(HEADER) {
            Some(header) => {
                let header = serde_json::from_str(header).map_err(|error| {
                    Forms::new(input.by_ref(), number).malformed("a header", error.to_string())
                })?;
                builder.header(supported(number, header)?);
            }
            None => builder.independent(),
        }
    }
    unreachable!("a file has fewer than 2^64 lines")
}

/// Reads lines such as `INFO  jepsen.util - 3 :ok :read 4`; all others are passed over.
pub(super) fn read_log(input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    each_line(input, |number, line| {
        let Some((_, said)) = line.split_once("jepsen.util - ") else { return Ok(()) };
        let (process, rest) = first_word(said);
        let (kind, rest) = first_word(rest);
        if let Some(event) = logged(process, kind, rest, number)? {
            builder.event(number, event)?;
        }
        Ok(())
    })
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

/// The event that a map stands for.
pub(super) fn event_of(form: Value) -> Result<Event, (String, String)> {
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
        Some(Value::String(name)) if name == "harness" => Process::Harness,
        _ => return Err((":process with a number or :nemesis".to_owned(), text(&map))),
    };
    let f = match map.remove("f") {
        Some(Value::String(f)) => f,
        Some(other) if process == Process::Nemesis => other.to_string(),
        // Elle's transactions need no name.
        None if map.get("value").is_some_and(is_transaction) => "txn".to_owned(),
        _ => return Err((":f with a name".to_owned(), text(&map))),
    };
    // Both are -1 or missing in some files.
    let natural = |field: &str| map.get(field).and_then(Value::as_u64).unwrap_or(ABSENT);
    let mut event = Event::new(natural("index"), natural("time"), kind, process, f);
    event.error = map.get("error").filter(|error| !error.is_null()).map(error_of);
    event.node = map.get("node").and_then(Value::as_str).map(|node| node.to_owned().into());
    event.value = map.remove("value").unwrap_or(Value::Null);
    // Jepsen has no such field, but Porcupine's key-value logs do.
    event.key = map.remove("key").and_then(key_text);
    // These are our own.
    let given = |field: &str| map.get(field).and_then(Value::as_u64);
    let named = |field: &str| map.get(field).and_then(Value::as_str).map(str::to_owned);
    (event.version, event.due, event.id) = (given("version"), given("due"), given("id"));
    event.probe = map.get("probe").and_then(Value::as_bool).unwrap_or_default();
    event.client = given("client").and_then(|client| u32::try_from(client).ok());
    event.fault = named("fault").map(Into::into);
    event.effect = named("effect").map(Into::into);
    event.reason = named("reason");
    Ok(event)
}

/// Whether it is a list of micro-operations such as `[:append 3 1]`.
fn is_transaction(value: &Value) -> bool {
    value.as_array().is_some_and(|steps| {
        !steps.is_empty() && steps.iter().all(|step| step[0].is_string() && !step[1].is_null())
    })
}

/// Jepsen's errors follow no rule, so nothing is read into them but their text; but many are pairs
/// of a name, which may be one of our kinds, and a text, and ours are always.
fn error_of(error: &Value) -> EventError {
    if let Some([Value::String(name), Value::String(text)]) = error.as_array().map(Vec::as_slice)
        && let Ok(kind) = serde_json::from_value(Value::from(name.as_str()))
        && error_name(kind) == name
    {
        return EventError { kind, text: text.clone() };
    }
    let text = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    EventError { kind: ErrorKind::Other, text }
}
