//! Histories of Jepsen and Knossos: `history.edn`, and the lines of Jepsen's log that Porcupine
//! keeps as test data.

use std::io::{BufRead, Read as _};

use serde_json::{Map, Value};

use super::blocks::{Lines, Parsed, Ragged, read_lines};
use super::build::Builder;
use super::edn::{Forms, HEADER, INDEPENDENT, STEPS, error_name, name_of, scan_map};
use super::event::ABSENT;
use super::jsonl::header_of;
use super::line::{Line, kind_of};
use super::lines::{each_line, text_of};
use super::quoted::key_text;
use super::read::ReadError;
use super::strict::{NATURAL, natural_of};
use super::{ErrorKind, Event, EventError, Kind, Process, shown};

/// Reads one map for each event, one after another or all in one vector or list.
pub(super) fn read_edn(mut input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let line = read_comments(&mut input, builder)?;
    // Most files have a line for each map, and these are read faster.
    match read_lines::<EdnLines>(&mut input, Vec::new(), line, builder)? {
        None => Ok(()),
        Some(Ragged { line, taken }) => read_forms(Forms::new(taken.chain(input), line), builder),
    }
}

struct EdnLines;

impl Lines for EdnLines {
    fn plain(text: &str) -> Option<(Line<'_>, &str)> {
        scan_map(text)
    }

    fn other(line: &[u8]) -> Option<Parsed> {
        // A map that begins and ends on the line; the number of an error is that of the reader that takes
        // the line then.
        let mut forms = Forms::new(line, 1);
        if line.trim_ascii_start().first().is_some_and(|first| !b"{;#".contains(first)) {
            return Some(Parsed::Ragged);
        }
        let first = forms.next_form();
        let last = forms.next_form();
        match (first, last) {
            (Ok(None), _) => None,
            (Ok(Some(form)), Ok(None)) if form.is_object() => Some(match event_of(form) {
                Ok(event) => Parsed::Event(Box::new(event)),
                Err(_) => Parsed::Ragged,
            }),
            _ => Some(Parsed::Ragged),
        }
    }
}

/// Reads forms, wherever their lines end.
fn read_forms(mut forms: Forms<impl BufRead>, builder: &mut Builder) -> Result<(), ReadError> {
    let close = if builder.is_empty() { forms.enter()? } else { None };
    let mut names = Names::default();
    loop {
        let form = match close {
            Some(close) => forms.next_inside(close)?,
            None => forms.next_form()?,
        };
        let Some(form) = form else { return Ok(()) };
        let event = event_of(names.fill(form, builder));
        let event = event.map_err(|(expected, found)| forms.malformed(expected, found))?;
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
            Some(header) => builder.header(header_of(header.trim().as_bytes(), number)?),
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
    let f = name_of(&f).to_owned();
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

/// Whether a file names processes. One that does not has an operation after another, so that there is one.
#[derive(Default)]
pub(super) struct Names(Option<bool>);

impl Names {
    /// Gives an event without a process the only one, if no event of the file has any.
    pub fn fill(&mut self, mut form: Value, builder: &Builder) -> Value {
        if let Value::Object(map) = &mut form {
            let has_process = map.contains_key("process");
            let has_names = *self.0.get_or_insert(has_process || !builder.is_empty());
            if !has_names && !has_process {
                map.insert("process".to_owned(), 0.into());
            }
        }
        form
    }
}

/// The event that a map stands for.
pub(super) fn event_of(form: Value) -> Result<Event, (String, String)> {
    let Value::Object(mut map) = form else {
        return Err(("a map for each event".to_owned(), shown(&form)));
    };
    let name = |map: &Map<String, Value>, field| {
        map.get(field).and_then(Value::as_str).map(|name| name_of(name).to_owned())
    };
    let Some(kind) = name(&map, "type").as_deref().and_then(kind_of) else {
        return Err((":type :invoke, :ok, :fail or :info".to_owned(), shown(&map)));
    };
    let process = match (map.get("process").and_then(Value::as_u64), name(&map, "process")) {
        (Some(number), _) => Process::Client(number),
        (_, Some(name)) if name == "nemesis" => Process::Nemesis,
        (_, Some(name)) if name == "harness" => Process::Harness,
        _ => {
            let expected = ":process with a number or :nemesis, which tells whose completion an \
                            event is";
            return Err((expected.to_owned(), shown(&map)));
        }
    };
    let f = match (name(&map, "f"), map.get("f")) {
        (Some(f), _) => f,
        (_, Some(other)) if process == Process::Nemesis => other.to_string(),
        // Elle's transactions need no name.
        (_, None) if map.get("value").is_some_and(is_transaction) => "txn".to_owned(),
        _ => return Err((":f with a name".to_owned(), shown(&map))),
    };
    let natural = |field: &str| {
        let given = map.get(field).unwrap_or(&Value::Null);
        natural_of(given).ok_or_else(|| (format!(":{field} of {NATURAL}"), shown(given)))
    };
    let mut event = Event::new(natural("index")?, natural("time")?, kind, process, f);
    event.error = map.get("error").filter(|error| !error.is_null()).map(error_of);
    event.node = name(&map, "node").map(Into::into);
    event.value = map.remove("value").unwrap_or(Value::Null);
    name_steps(&mut event.value);
    // Jepsen has no such field, but Porcupine's key-value logs do.
    event.key = map.remove("key").and_then(key_text);
    // These are our own.
    let given = |field: &str| map.get(field).and_then(Value::as_u64);
    (event.version, event.due, event.id) = (given("version"), given("due"), given("id"));
    event.probe = map.get("probe").and_then(Value::as_bool).unwrap_or_default();
    event.client = given("client").and_then(|client| u32::try_from(client).ok());
    event.fault = name(&map, "fault").map(Into::into);
    event.effect = name(&map, "effect").map(Into::into);
    // A sentence, whatever it begins with.
    event.reason =
        map.get("reason").and_then(Value::as_str).map(|text| match text.starts_with("~~") {
            true => text[1..].to_owned(),
            false => text.to_owned(),
        });
    Ok(event)
}

/// Whether it is a list of micro-operations such as `[:append 3 1]`.
fn is_transaction(value: &Value) -> bool {
    value.as_array().is_some_and(|steps| {
        !steps.is_empty() && steps.iter().all(|step| step[0].is_string() && !step[1].is_null())
    })
}

/// The names of micro-operations are names, also behind the key of an independent object.
fn name_steps(value: &mut Value) {
    let is_step = |step: &Value| {
        let name = step[0].as_str().and_then(|name| name.strip_prefix("~:"));
        name.is_some_and(|name| STEPS.contains(&name))
    };
    match value {
        Value::Array(steps) if !steps.is_empty() && steps.iter().all(is_step) => {
            for step in steps {
                step[0] = name_of(step[0].as_str().unwrap_or_default()).into();
            }
        }
        Value::Array(pair) if pair.len() == 2 => name_steps(&mut pair[1]),
        _ => {}
    }
}

/// Jepsen's errors follow no rule, so nothing is read into them but their text; but many are pairs
/// of a name, which may be one of our kinds, and a text, and ours are always.
fn error_of(error: &Value) -> EventError {
    if let Some([Value::String(name), Value::String(text)]) = error.as_array().map(Vec::as_slice)
        && let Ok(kind) = serde_json::from_value(Value::from(name_of(name)))
        && error_name(kind) == name_of(name)
    {
        return EventError { kind, text: name_of(text).to_owned() };
    }
    let text = error.as_str().map_or_else(|| error.to_string(), |text| name_of(text).to_owned());
    EventError { kind: ErrorKind::Other, text }
}
