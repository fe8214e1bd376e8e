//! A binary input, number by number, with the position for messages.

use std::io::{BufRead, ErrorKind};

use crate::history::Malformed;
use crate::history::read::ReadError;

/// What is left of an input.
pub(super) struct Binary<R> {
    input: R,
    /// The position in the file, in bytes.
    at: u64,
}

impl<R: BufRead> Binary<R> {
    pub(super) fn new(input: R) -> Binary<R> {
        Binary { input, at: 0 }
    }

    /// The next byte; `None` at the end of the file.
    pub(super) fn byte(&mut self) -> Result<Option<u8>, ReadError> {
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

    /// The next eight bytes.
    pub(super) fn eight(&mut self, what: &str) -> Result<[u8; 8], ReadError> {
        let mut bytes = [0; 8];
        match self.fill(&mut bytes)? {
            true => Ok(bytes),
            false => Err(self.malformed(what, "the end of the file")),
        }
    }

    /// Passes over so many bytes.
    pub(super) fn pass(&mut self, length: u64, what: &str) -> Result<(), ReadError> {
        let mut skipped = std::io::Read::take(&mut self.input, length);
        let passed = std::io::copy(&mut skipped, &mut std::io::sink())?;
        self.at += passed;
        if passed < length {
            return Err(self.malformed(what, "the end of the file"));
        }
        Ok(())
    }

    /// The file has no lines, so all of it is the first; the position says more.
    pub(super) fn malformed(&self, expected: &str, found: &str) -> ReadError {
        let expected = format!("{expected} at byte {}", self.at);
        Malformed::new(1, expected, found).into()
    }
}
