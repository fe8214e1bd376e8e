//! One line of a history that is still being written.

use serde_json::Value;

use crate::history::{BYTE_ORDER_MARK, Event, Header, Malformed, exact, header_of, shown_bytes};

/// What a line says.
pub(super) enum Line {
    /// Blank, or the end of a file in the middle of a line.
    Nothing,
    Header(Box<Header>),
    Event(Box<Event>),
}

/// Reads the line of a number, with its line feed unless the file ends before it.
pub(super) fn parse(line: &[u8], number: u64) -> Result<Line, Malformed> {
    let line = if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
    let text = line.trim_ascii();
    if text.is_empty() {
        return Ok(Line::Nothing);
    }
    let event = match serde_json::from_slice::<Event>(text) {
        Ok(event) => {
            exact(&event.value, text)
                .map_err(|(expected, found)| Malformed::new(number, expected, found))?;
            return Ok(Line::Event(Box::new(event)));
        }
        Err(error) if error.is_eof() && !line.ends_with(b"\n") => return Ok(Line::Nothing),
        Err(error) => error,
    };
    let value: Option<Value> = serde_json::from_slice(text).ok();
    if value.is_none_or(|value| value.get("splitbrain").is_none()) {
        let expected = format!("a JSON event ({event})");
        return Err(Malformed::new(number, expected, shown_bytes(text)));
    }
    Ok(Line::Header(Box::new(header_of(text, number)?)))
}

/// What a line gives, of an index or a time.
pub(super) fn given(number: u64) -> Option<u64> {
    (number != u64::MAX).then_some(number)
}
