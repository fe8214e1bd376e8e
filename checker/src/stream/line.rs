//! One line of a history that is still being written.

use serde_json::Value;

use crate::history::{Event, Header, Malformed, SCHEMA_VERSION};

/// What a line says.
pub(super) enum Line {
    /// Blank, or the end of a file in the middle of a line.
    Nothing,
    Header(Box<Header>),
    Event(Box<Event>),
}

/// Reads the line of a number, with its line feed unless the file ends before it.
pub(super) fn parse(line: &[u8], number: u64) -> Result<Line, Malformed> {
    let text = line.trim_ascii();
    if text.is_empty() {
        return Ok(Line::Nothing);
    }
    let malformed = |expected: String, found: String| Malformed { line: number, expected, found };
    let event = match serde_json::from_slice::<Event>(text) {
        Ok(event) => return Ok(Line::Event(Box::new(event))),
        Err(error) if error.is_eof() && !line.ends_with(b"\n") => return Ok(Line::Nothing),
        Err(error) => error,
    };
    let value: Option<Value> = serde_json::from_slice(text).ok();
    let found = || String::from_utf8_lossy(text).chars().take(60).collect();
    if value.is_none_or(|value| value.get("splitbrain").is_none()) {
        return Err(malformed(format!("a JSON event ({event})"), found()));
    }
    let header: Header = serde_json::from_slice(text)
        .map_err(|error| malformed(format!("a header ({error})"), found()))?;
    if header.splitbrain != SCHEMA_VERSION {
        let expected = format!("a header of schema version {SCHEMA_VERSION}");
        return Err(malformed(expected, format!("version {}", header.splitbrain)));
    }
    Ok(Line::Header(Box::new(header)))
}

/// What a line gives, of an index or a time.
pub(super) fn given(number: u64) -> Option<u64> {
    (number != u64::MAX).then_some(number)
}
