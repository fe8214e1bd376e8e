//! The lines of a text with their numbers.

use std::io::BufRead;

use super::Malformed;
use super::read::ReadError;

/// Calls for each line, blank ones too, with its number and without blanks around it.
pub(super) fn each_line(
    mut input: impl BufRead,
    mut take: impl FnMut(u64, &str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        take(number, text_of(number, &line)?.trim())?;
    }
    Ok(())
}

/// The text of a line.
pub(super) fn text_of(number: u64, line: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(line).map_err(|_| Malformed::new(number, "UTF-8", "other bytes"))
}
