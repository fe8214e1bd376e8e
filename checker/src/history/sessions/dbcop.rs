//! dbcop's binary notation: Rust's bincode of a history, all numbers in eight bytes, the least
//! first. Five numbers (id, nodes, variables, transactions, events), three texts (what, begin and
//! end), then a list of sessions of transactions of events. Lists and texts begin with their length.
//! An event is a byte for whether it writes, a variable, a value, and a byte for whether it
//! succeeded; after the events of a transaction a byte says whether it was committed.

use std::io::{BufRead, ErrorKind, Read};

use serde_json::json;

use super::{Transaction, begin};
use crate::history::Kind;
use crate::history::Malformed;
use crate::history::build::Builder;
use crate::history::read::ReadError;

/// Reads the whole input. Value 0 is the initial one.
pub(in crate::history) fn read_dbcop(
    input: impl BufRead,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    begin(&json!(0), builder)?;
    let mut input = Binary { input, at: 0 };
    for _ in 0..5 {
        input.natural("a number of the header")?;
    }
    for _ in 0..3 {
        input.pass_text()?;
    }
    for session in 0..input.natural("the number of sessions")? {
        for _ in 0..input.natural("the number of transactions")? {
            let mut transaction = Transaction { session, ..Transaction::default() };
            for _ in 0..input.natural("the number of events")? {
                let writes = input.flag("whether an event writes")?;
                let variable = input.natural("a variable")?;
                let value = json!(input.natural("a value")?);
                let succeeded = input.flag("whether an event succeeded")?;
                match writes {
                    true => transaction.write(variable, &value),
                    // What was not answered says nothing.
                    false if succeeded => transaction.read(variable, &value),
                    false => transaction.read(variable, &serde_json::Value::Null),
                }
            }
            let committed = input.flag("whether a transaction was committed")?;
            let kind = if committed { Kind::Ok } else { Kind::Fail };
            transaction.end(1, kind, builder)?;
        }
    }
    match input.byte()? {
        None => Ok(()),
        Some(_) => Err(input.malformed("the end of the file", "more bytes")),
    }
}

struct Binary<R> {
    input: R,
    /// The position in the file, in bytes.
    at: u64,
}

impl<R: BufRead> Binary<R> {
    fn byte(&mut self) -> Result<Option<u8>, ReadError> {
        let mut byte = [0];
        let read = self.fill(&mut byte)?;
        Ok(read.then_some(byte[0]))
    }

    /// False at the end of the file.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, ReadError> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.at += bytes.len() as u64;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn natural(&mut self, what: &str) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        match self.fill(&mut bytes)? {
            true => Ok(u64::from_le_bytes(bytes)),
            false => Err(self.malformed(what, "the end of the file")),
        }
    }

    fn flag(&mut self, what: &str) -> Result<bool, ReadError> {
        match self.byte()? {
            Some(flag @ (0 | 1)) => Ok(flag == 1),
            Some(other) => Err(self.malformed(what, &format!("{other}, which is neither 0 nor 1"))),
            None => Err(self.malformed(what, "the end of the file")),
        }
    }

    fn pass_text(&mut self) -> Result<(), ReadError> {
        let length = self.natural("the length of a text")?;
        let passed = std::io::copy(&mut self.input.by_ref().take(length), &mut std::io::sink())?;
        self.at += passed;
        if passed < length {
            return Err(self.malformed("a text", "the end of the file"));
        }
        Ok(())
    }

    /// The file has no lines, so all of it is the first; the position says more.
    fn malformed(&self, expected: &str, found: &str) -> ReadError {
        let expected = format!("{expected} at byte {}", self.at);
        Malformed::new(1, expected, found).into()
    }
}
