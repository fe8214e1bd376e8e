//! Reads EDN, the notation in which Jepsen and Knossos keep histories, one form at a time.
//!
//! Forms become JSON values, as that is what a history holds: vectors and lists become arrays, and
//! sets do, in an order that makes equal sets equal; what JSON has not becomes a text that nothing
//! else becomes (see [`atoms`]). A tag is passed over and its form taken as it is, whatever the tag,
//! unless that is a text.

mod atoms;
mod scan;
#[cfg(test)]
mod tests;
mod write;

pub(super) use atoms::name_of;
pub(super) use scan::scan_map;
pub(super) use write::{error_name, write};

use std::fmt::Display;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::bytes::Bytes;
use super::read::ReadError;
use super::shown;

/// Our own writer's comment with the header, which follows on the same line.
pub(super) const HEADER: &str = ";; splitbrain ";
/// Our own writer's comment on values that are pairs.
pub(super) const INDEPENDENT: &str = ";; independent: each value is [key value]";

/// The names of micro-operations in transactions.
pub(super) const STEPS: [&str; 3] = ["r", "w", "append"];

/// No history nests deeper; a file that does is not one. JSON's readers have a similar limit.
const MAX_DEPTH: usize = 100;

/// A stream of forms.
pub(super) struct Forms<R> {
    bytes: Bytes<R>,
}

impl<R: BufRead> Forms<R> {
    /// Begins at the given line.
    pub fn new(input: R, line: u64) -> Forms<R> {
        Forms { bytes: Bytes::new(input, line) }
    }

    /// The number of the line that is being read, from 1.
    pub fn line(&self) -> u64 {
        self.bytes.line()
    }

    /// The next form; `None` at the end of the input.
    pub fn next_form(&mut self) -> Result<Option<Value>, ReadError> {
        self.form_unless(None, 0)
    }

    /// Enters a vector or list if one begins here; [`next_inside`](Forms::next_inside) then reads
    /// its forms. Returns the byte that ends it.
    pub fn enter(&mut self) -> Result<Option<u8>, ReadError> {
        self.skip_blanks()?;
        let close = match self.peek()? {
            Some(b'[') => b']',
            Some(b'(') => b')',
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(close))
    }

    /// The next form before the byte that ends the vector or list; `None` if that comes first.
    pub fn next_inside(&mut self, close: u8) -> Result<Option<Value>, ReadError> {
        self.form_unless(Some(close), 1)
    }

    /// An error at the line that is being read.
    pub fn malformed(&self, expected: impl Display, found: impl Display) -> ReadError {
        self.bytes.malformed(expected, found)
    }

    /// The next form, or `None` if `close` or, where there is no `close`, the end comes first.
    fn form_unless(&mut self, close: Option<u8>, depth: usize) -> Result<Option<Value>, ReadError> {
        if depth > MAX_DEPTH {
            return Err(self.malformed("a history", "forms nested too deep"));
        }
        loop {
            self.skip_blanks()?;
            let Some(byte) = self.peek()? else {
                return match close {
                    None => Ok(None),
                    Some(close) => Err(self.malformed(char::from(close), "the end of the file")),
                };
            };
            if Some(byte) == close {
                self.advance()?;
                return Ok(None);
            }
            return Ok(Some(match byte {
                b'"' => {
                    self.advance()?;
                    atoms::of_text(self.string()?)
                }
                b'\\' => Value::String(format!("~c{}", self.character()?)),
                b'[' | b'(' | b'{' => self.collection(depth)?,
                b']' | b')' | b'}' => {
                    return Err(self.malformed("a form", char::from(byte)));
                }
                b'^' => {
                    // Metadata: a form of its own before the one that it belongs to.
                    self.advance()?;
                    self.required(depth)?;
                    continue;
                }
                b'#' => {
                    self.advance()?;
                    match self.dispatch(depth)? {
                        Some(value) => value,
                        None => continue,
                    }
                }
                _ => atoms::of_token(&self.token()?),
            }));
        }
    }

    /// A form that has to be there.
    fn required(&mut self, depth: usize) -> Result<Value, ReadError> {
        match self.form_unless(None, depth + 1)? {
            Some(value) => Ok(value),
            None => Err(self.malformed("a form", "the end of the file")),
        }
    }

    /// What follows a `#`; `None` if it is to be passed over.
    fn dispatch(&mut self, depth: usize) -> Result<Option<Value>, ReadError> {
        match self.peek()? {
            Some(b'{') => {
                self.advance()?;
                let elements = atoms::in_order(self.forms_until(b'}', depth)?);
                let twice =
                    |found: Value| self.malformed("a set without repetition", shown(&found));
                Ok(Some(Value::Array(elements.map_err(twice)?)))
            }
            Some(b'_') => {
                self.advance()?;
                self.required(depth)?;
                Ok(None)
            }
            Some(b'#') => {
                self.advance()?;
                Ok(Some(Value::String(format!("~z{}", self.token()?))))
            }
            _ => {
                let tag = self.token()?;
                Ok(Some(match self.required(depth)? {
                    // Of tags around tags the innermost is kept.
                    Value::String(text) if !text.starts_with("~#") => {
                        Value::String(format!("~#{tag} {text}"))
                    }
                    form => form,
                }))
            }
        }
    }

    fn collection(&mut self, depth: usize) -> Result<Value, ReadError> {
        match self.advance()? {
            Some(b'[') => Ok(Value::Array(self.forms_until(b']', depth)?)),
            Some(b'(') => Ok(Value::Array(self.forms_until(b')', depth)?)),
            _ => {
                let mut forms = self.forms_until(b'}', depth)?.into_iter();
                let mut map = Map::new();
                while let Some(key) = forms.next() {
                    let Some(value) = forms.next() else {
                        return Err(self.malformed("a value for each key of a map", "none"));
                    };
                    let field = atoms::field_of(key);
                    if map.contains_key(&field) {
                        return Err(self.malformed("a map without repetition", field));
                    }
                    map.insert(field, value);
                }
                Ok(Value::Object(map))
            }
        }
    }

    fn forms_until(&mut self, close: u8, depth: usize) -> Result<Vec<Value>, ReadError> {
        let mut forms = Vec::new();
        while let Some(form) = self.form_unless(Some(close), depth + 1)? {
            forms.push(form);
        }
        Ok(forms)
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self) -> Result<String, ReadError> {
        let mut bytes = Vec::new();
        loop {
            match self.advance()? {
                None => return Err(self.malformed("\"", "the end of the file")),
                Some(b'"') => return self.text(bytes),
                Some(b'\\') => match self.advance()? {
                    Some(b'n') => bytes.push(b'\n'),
                    Some(b't') => bytes.push(b'\t'),
                    Some(b'r') => bytes.push(b'\r'),
                    Some(b'b') => bytes.push(8),
                    Some(b'f') => bytes.push(12),
                    Some(b'u') => {
                        let character = self.character_of_code()?;
                        bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    }
                    Some(byte @ (b'"' | b'\\' | b'/' | b'\'')) => bytes.push(byte),
                    Some(byte) => {
                        let found = format!("\\{}", char::from(byte).escape_default());
                        return Err(self.malformed("an escape such as \\n or \\u00e9", found));
                    }
                    None => return Err(self.malformed("\"", "the end of the file")),
                },
                Some(byte) => bytes.push(byte),
            }
        }
    }

    /// The character of the code after `\u`, or of two that are a surrogate pair.
    fn character_of_code(&mut self) -> Result<char, ReadError> {
        let first = self.code()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            if (self.advance()?, self.advance()?) != (Some(b'\\'), Some(b'u')) {
                return Err(self.malformed("the other half of a surrogate pair", "none"));
            }
            units.push(self.code()?);
        }
        let character = char::decode_utf16(units).next().and_then(Result::ok);
        character.ok_or_else(|| self.malformed("a character or a surrogate pair", "half of one"))
    }

    fn code(&mut self) -> Result<u16, ReadError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.advance()?.and_then(|digit| char::from(digit).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.malformed("four hexadecimal digits", "others"));
            };
            code = code * 16 + digit as u16;
        }
        Ok(code)
    }

    /// A character such as `\a` or `\newline`, by its name.
    fn character(&mut self) -> Result<String, ReadError> {
        self.advance()?;
        let mut bytes: Vec<u8> = self.advance()?.into_iter().collect();
        while let Some(byte) = self.peek()?.filter(|byte| !ends_token(*byte)) {
            bytes.push(byte);
            self.advance()?;
        }
        self.text(bytes)
    }

    fn token(&mut self) -> Result<String, ReadError> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek()?.filter(|byte| !ends_token(*byte)) {
            bytes.push(byte);
            self.advance()?;
        }
        self.text(bytes)
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, ReadError> {
        String::from_utf8(bytes).map_err(|_| self.malformed("UTF-8", "other bytes"))
    }

    fn skip_blanks(&mut self) -> Result<(), ReadError> {
        while let Some(byte) = self.peek()? {
            if byte == b';' {
                while self.peek()?.is_some_and(|byte| byte != b'\n') {
                    self.advance()?;
                }
            } else if is_blank(byte) {
                self.advance()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        self.bytes.peek()
    }

    fn advance(&mut self) -> Result<Option<u8>, ReadError> {
        self.bytes.advance()
    }
}

/// A comma is a blank too.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b','
}

fn ends_token(byte: u8) -> bool {
    is_blank(byte) || b"()[]{}\";".contains(&byte)
}
