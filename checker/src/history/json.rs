//! JSON events in one array, or one after another over any number of lines: what elle-cli takes.

use std::io::BufRead;

use serde_json::Deserializer;

use super::build::Builder;
use super::bytes::Bytes;
use super::jepsen::{Names, event_of};
use super::read::ReadError;
use super::strict::{exact, value};

/// Reads one object for each event.
pub(super) fn read_json(input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let mut bytes = Bytes::new(input, 1);
    skip_blanks(&mut bytes)?;
    let in_array = bytes.peek()? == Some(b'[');
    if in_array {
        bytes.advance()?;
    }
    let mut text = Vec::new();
    let mut names = Names::default();
    loop {
        skip_blanks(&mut bytes)?;
        match bytes.peek()? {
            Some(b'{') => {}
            Some(b']') if in_array => return Ok(()),
            None if !in_array => return Ok(()),
            None => return Err(bytes.malformed("]", "the end of the file")),
            Some(other) => {
                return Err(bytes.malformed("an object for each event", char::from(other)));
            }
        }
        let line = bytes.line();
        object(&mut bytes, &mut text)?;
        let form = value(&mut Deserializer::from_slice(&text)).map_err(|error| {
            let line = line + error.line().saturating_sub(1) as u64;
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            bytes.malformed_at(line, "a JSON object", why)
        })?;
        let event = exact(&form, &text)
            .and_then(|()| event_of(names.fill(form, builder)))
            .map_err(|(expected, found)| bytes.malformed_at(line, expected, found))?;
        builder.event(line, event)?;
    }
}

/// Copies the object that begins here. How deep it nests is left to the parser, which has a limit.
fn object(bytes: &mut Bytes<impl BufRead>, text: &mut Vec<u8>) -> Result<(), ReadError> {
    text.clear();
    let mut depth = 0_usize;
    let mut in_string = false;
    while let Some(byte) = bytes.advance()? {
        text.push(byte);
        match byte {
            b'\\' if in_string => text.extend(bytes.advance()?),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Err(bytes.malformed("}", "the end of the file"))
}

/// Commas between objects are passed over too.
fn skip_blanks(bytes: &mut Bytes<impl BufRead>) -> Result<(), ReadError> {
    while bytes.peek()?.is_some_and(|byte| byte.is_ascii_whitespace() || byte == b',') {
        bytes.advance()?;
    }
    Ok(())
}
