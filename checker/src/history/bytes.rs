//! An input byte by byte, with the number of the line.

use std::fmt::Display;
use std::io::BufRead;

use super::Malformed;
use super::read::ReadError;

/// What is left of an input.
pub(super) struct Bytes<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Bytes<R> {
    /// Begins at the given line.
    pub fn new(input: R, line: u64) -> Bytes<R> {
        Bytes { input, line }
    }

    /// The number of the line that is being read, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next byte, which stays.
    pub fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// Takes the next byte.
    pub fn advance(&mut self) -> Result<Option<u8>, ReadError> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// An error at the line that is being read.
    pub fn malformed(&self, expected: impl Display, found: impl Display) -> ReadError {
        self.malformed_at(self.line, expected, found)
    }

    /// An error at a line.
    pub fn malformed_at(
        &self,
        line: u64,
        expected: impl Display,
        found: impl Display,
    ) -> ReadError {
        Malformed::new(line, expected, found).into()
    }
}
