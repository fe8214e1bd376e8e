//! Reads JSON lines.

use std::io::BufRead;

use serde_json::Value;

use super::blocks::{Lines, Parsed, read_lines};
use super::build::Builder;
use super::line::Line;
use super::read::ReadError;
use super::strict::exact;
use super::{Event, Header, Malformed, SCHEMA_VERSION, shown_bytes};

/// Reads the whole input.
pub(super) fn read_jsonl(mut input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let mut first = Vec::new();
    let mut number = 1;
    // Up to the first line that is not blank, which may be a header.
    while input.read_until(b'\n', &mut first)? > 0 {
        let text = first.trim_ascii();
        let has_header = is_header(text);
        if has_header {
            builder.header(header_of(text, number)?);
        } else if !text.is_empty() {
            break;
        }
        first.clear();
        number += 1;
        if has_header {
            break;
        }
    }
    read_lines::<JsonLines>(input, first, number, builder)?;
    Ok(())
}

struct JsonLines;

impl Lines for JsonLines {
    fn plain(text: &str) -> Option<(Line<'_>, &str)> {
        Line::scan(text)
    }

    fn other(line: &[u8]) -> Option<Parsed> {
        parse_line(line)
    }
}

/// Reads a line in the general way; `None` if it is blank.
fn parse_line(line: &[u8]) -> Option<Parsed> {
    let text = line.trim_ascii();
    if text.is_empty() {
        return None;
    }
    Some(match serde_json::from_slice::<Event>(text) {
        Ok(event) => match exact(&event.value, text) {
            Ok(()) => Parsed::Event(Box::new(event)),
            Err((expected, found)) => {
                Parsed::Malformed(Box::new(Malformed::new(0, expected, found)))
            }
        },
        // Only the last line of a file ends without a line feed.
        Err(error) if error.is_eof() && line.last() != Some(&b'\n') => Parsed::Truncated,
        Err(error) => Parsed::Malformed(Box::new(malformed(text, &error))),
    })
}

fn is_header(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|value| value.get("splitbrain").is_some())
}

/// Reads a header, whose version has to be ours.
pub(crate) fn header_of(text: &[u8], line: u64) -> Result<Header, Malformed> {
    let header: Header = serde_json::from_slice(text).map_err(|e| malformed(text, &e).at(line))?;
    exact(&header.initial, text)
        .map_err(|(expected, found)| Malformed::new(line, expected, found))?;
    if header.splitbrain == SCHEMA_VERSION {
        return Ok(header);
    }
    let expected = format!("a header of schema version {SCHEMA_VERSION}");
    Err(Malformed::new(line, expected, format!("version {}", header.splitbrain)))
}

/// What is wrong with a line whose number is not known yet.
fn malformed(text: &[u8], error: &serde_json::Error) -> Malformed {
    // The position that serde_json adds counts from the line's own start.
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    Malformed::new(0, format!("a JSON event ({why})"), shown_bytes(text))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use crate::history::History;

    /// More lines than fit into two blocks: some ordinary, some not, some blank.
    fn long() -> (String, u64) {
        let (mut text, mut lines) = (String::new(), 0);
        while text.len() as u64 <= 2 * crate::history::blocks::BLOCK_BYTES {
            let process = lines % 7;
            for (kind, value) in [("invoke", "1"), ("ok", "[1.5]")] {
                let padding = "x".repeat(200);
                writeln!(
                    text,
                    "\n{{\"time\":{lines},\"process\":{process},\"type\":\"{kind}\",\"f\":\"write\",\
                     \"key\":\"{padding}\",\"value\":{value}}}"
                )
                .expect("a String takes everything");
                lines += 2;
            }
        }
        (text, lines)
    }

    #[test]
    fn blocks_and_pieces_are_joined_in_order() {
        let (text, lines) = long();
        let history = History::read(text.as_bytes()).expect("a history");
        let operations = history.operations();
        assert_eq!(operations.len() as u64, lines / 4);
        for (operation, at) in operations.iter().zip(0_u64..) {
            assert_eq!((operation.invoked.index, operation.invoked.time_ns), (2 * at, 4 * at));
            assert_eq!(operation.result().to_string(), "[1.5]");
        }
    }

    #[test]
    fn lines_are_counted_over_blocks_and_pieces() {
        let (text, lines) = long();
        let error = History::read((text.clone() + "\nwrong\n").as_bytes()).expect_err("an error");
        let expected = format!("line {}: expected a JSON event", lines + 2);
        assert!(error.to_string().starts_with(&expected), "{error}");
        // The first of two errors counts, wherever they lie.
        let twice = text.replacen("[1.5]", "[1.5", 1) + "wrong\n";
        let error = History::read(twice.as_bytes()).expect_err("an error");
        assert!(error.to_string().starts_with("line 4: "), "{error}");
        let history = History::read((text + "{\"type").as_bytes()).expect("a history");
        assert_eq!(history.truncated_line(), Some(lines + 1));
    }
}
