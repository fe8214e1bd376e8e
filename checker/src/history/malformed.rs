//! What is wrong with a line, in words of bounded length, however long the line is.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// A line that does not belong into a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct Malformed {
    /// The line's number, from 1.
    pub line: u64,
    /// What would have been right.
    pub expected: String,
    /// What is there: of what is long, only the beginning.
    pub found: String,
}

/// Names and errors of other libraries in what was expected may be long too.
const EXPECTED_CHARS: usize = 300;
const FOUND_CHARS: usize = 80;

impl Malformed {
    pub(crate) fn new(line: u64, expected: impl Display, found: impl Display) -> Malformed {
        let expected = cut(&expected, EXPECTED_CHARS);
        Malformed { line, expected, found: cut(&found, FOUND_CHARS) }
    }

    /// The same with the number of the line, which was not known yet.
    pub(super) fn at(self, line: u64) -> Malformed {
        Malformed { line, ..self }
    }
}

/// The beginning of a value as JSON. Nothing is made of the rest, which may be large.
pub(crate) fn shown(value: &impl Serialize) -> String {
    let mut beginning = Beginning { bytes: Vec::new(), most: 4 * FOUND_CHARS + 4 };
    // Ends with an error where the room does.
    let _ = serde_json::to_writer(&mut beginning, value);
    cut(&String::from_utf8_lossy(&beginning.bytes), FOUND_CHARS)
}

/// The beginning of a line.
pub(crate) fn shown_bytes(line: &[u8]) -> String {
    let beginning = &line[..line.len().min(4 * FOUND_CHARS + 4)];
    cut(&String::from_utf8_lossy(beginning), FOUND_CHARS)
}

fn cut(text: &impl Display, most: usize) -> String {
    let mut text = text.to_string();
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.shrink_to_fit();
        text.push_str("...");
    }
    text
}

/// Takes so many bytes and no more.
struct Beginning {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.most - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Malformed, shown, shown_bytes};

    #[test]
    fn what_is_long_is_cut_and_what_is_short_is_not() {
        let long = "é".repeat(10_000_000);
        let malformed = Malformed::new(3, &long, &long);
        assert_eq!(malformed.expected, "é".repeat(300) + "...");
        assert_eq!(malformed.found, "é".repeat(80) + "...");
        assert_eq!(shown(&json!([long])), format!("[\"{}...", "é".repeat(78)));
        assert_eq!(shown_bytes(long.as_bytes()), "é".repeat(80) + "...");
        assert_eq!(shown(&json!([1, "é"])), "[1,\"é\"]");
        assert_eq!(Malformed::new(3, "a", "b").to_string(), "line 3: expected a, found b");
    }
}
