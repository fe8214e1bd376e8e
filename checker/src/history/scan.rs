//! Reads ordinary JSON lines some times faster than a general JSON reader can.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use super::Kind;
use super::event::ABSENT;
use super::line::Line;

impl<'a> Line<'a> {
    /// Reads a JSON object of the plain kind from the beginning of a text, and the rest of its line:
    /// no escapes, nothing but ASCII, whole numbers, arrays of these at most, and no blanks between
    /// a name and its colon. Also returns what follows that line.
    ///
    /// `None` does not mean that the line is wrong: it is to be read in the general way, which
    /// gives the same for every line that is read here, and says what is wrong with the others.
    pub fn scan(text: &'a [u8]) -> Option<(Line<'a>, &'a [u8])> {
        let mut rest = Scanner { rest: text };
        let mut line = Line {
            index: ABSENT,
            time: ABSENT,
            kind: Kind::Info,
            process: 0,
            f: "",
            key: None,
            value: Value::Null,
            version: None,
            client: None,
            node: None,
            due: None,
            probe: false,
            error: None,
        };
        let mut seen = 0_u16;
        rest.expect(b'{')?;
        loop {
            let field = rest.field()?;
            match field {
                Field::Index => line.index = rest.natural()?,
                Field::Time => line.time = rest.natural()?,
                Field::Type => line.kind = rest.kind()?,
                Field::Process => line.process = rest.natural()?,
                Field::F => line.f = rest.function()?,
                Field::Key => line.key = Some(Cow::Borrowed(rest.key()?)),
                Field::Value => line.value = rest.value()?,
                Field::Version => line.version = Some(rest.natural()?),
                Field::Client => line.client = Some(u32::try_from(rest.natural()?).ok()?),
                Field::Node => line.node = Some(rest.string()?),
                Field::Due => line.due = Some(rest.natural()?),
                Field::Probe => line.probe = rest.truth()?,
            }
            let bit = 1 << field as u16;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            match rest.symbol()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        let has_all = [Field::Type, Field::Process, Field::F]
            .into_iter()
            .all(|field| seen & (1 << field as u16) != 0);
        let next = rest.next_line()?;
        has_all.then_some((line, next))
    }
}

/// What a line can say.
#[derive(Clone, Copy)]
enum Field {
    Index,
    Time,
    Type,
    Process,
    F,
    Key,
    Value,
    Version,
    Client,
    Node,
    Due,
    Probe,
}

/// What is left of a text. Every method passes over blanks first.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    fn symbol(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.rest = &self.rest[1..];
        Some(byte)
    }

    fn expect(&mut self, symbol: u8) -> Option<()> {
        (self.symbol()? == symbol).then_some(())
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Passes over a word if it stands next.
    fn word(&mut self, word: &[u8]) -> bool {
        self.rest.strip_prefix(word).map(|rest| self.rest = rest).is_some()
    }

    /// What follows the line, of which nothing but blanks may be left.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        match (self.peek(), self.rest) {
            (None, _) => Some(&[]),
            (_, [b'\n', next @ ..] | [b'\r', b'\n', next @ ..]) => Some(next),
            _ => None,
        }
    }

    /// A name and its colon. The first letters lead to the only name that it can be.
    fn field(&mut self) -> Option<Field> {
        self.expect(b'"')?;
        let (name, field): (&[u8], Field) = match self.rest {
            [b'i', ..] => (b"index\":", Field::Index),
            [b't', b'i', ..] => (b"time\":", Field::Time),
            [b't', ..] => (b"type\":", Field::Type),
            [b'p', b'r', b'o', b'b', ..] => (b"probe\":", Field::Probe),
            [b'p', ..] => (b"process\":", Field::Process),
            [b'f', ..] => (b"f\":", Field::F),
            [b'k', ..] => (b"key\":", Field::Key),
            [b'v', b'a', ..] => (b"value\":", Field::Value),
            [b'v', ..] => (b"version\":", Field::Version),
            [b'c', ..] => (b"client\":", Field::Client),
            [b'n', ..] => (b"node\":", Field::Node),
            [b'd', ..] => (b"due\":", Field::Due),
            _ => return None,
        };
        self.word(name).then_some(field)
    }

    fn kind(&mut self) -> Option<Kind> {
        self.expect(b'"')?;
        let (name, kind): (&[u8], Kind) = match self.rest {
            [b'o', ..] => (b"ok\"", Kind::Ok),
            [b'i', b'n', b'v', ..] => (b"invoke\"", Kind::Invoke),
            [b'i', ..] => (b"info\"", Kind::Info),
            _ => (b"fail\"", Kind::Fail),
        };
        self.word(name).then_some(kind)
    }

    /// The name of a function; the most frequent ones need no look at each letter.
    fn function(&mut self) -> Option<&'a str> {
        self.peek()?;
        if self.word(b"\"read\"") {
            Some("read")
        } else if self.word(b"\"write\"") {
            Some("write")
        } else {
            self.string()
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let length = self.rest.iter().position(|byte| !is_plain(byte))?;
        let text = self.take(length);
        self.word(b"\"").then_some(())?;
        std::str::from_utf8(text).ok()
    }

    /// The length of digits without a sign and without zeros before them, and with nothing after
    /// them that would make another number of them.
    fn digits(&mut self) -> Option<usize> {
        self.peek()?;
        let length = self.rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let more = matches!(self.rest[length], b'.' | b'e' | b'E');
        let padded = length > 1 && self.rest[0] == b'0';
        (length > 0 && !more && !padded).then_some(length)
    }

    /// A number of at most 19 digits, which always fits.
    fn natural(&mut self) -> Option<u64> {
        let length = self.digits()?;
        let digits = self.take(length);
        let number = || {
            digits.iter().fold(0_u64, |number, digit| {
                number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
            })
        };
        (length <= 19).then(number)
    }

    /// A key may be a number; it is a text all the same.
    fn key(&mut self) -> Option<&'a str> {
        if self.peek()? == b'"' {
            return self.string();
        }
        let length = self.digits()?;
        std::str::from_utf8(self.take(length)).ok()
    }

    fn value(&mut self) -> Option<Value> {
        if self.peek()? != b'[' {
            return self.scalar();
        }
        self.expect(b'[')?;
        let mut elements = Vec::with_capacity(2);
        if self.peek()? == b']' {
            self.symbol();
            return Some(Value::Array(elements));
        }
        loop {
            elements.push(self.scalar()?);
            match self.symbol()? {
                b',' => {}
                b']' => return Some(Value::Array(elements)),
                _ => return None,
            }
        }
    }

    fn truth(&mut self) -> Option<bool> {
        self.peek()?;
        if self.word(b"true") {
            return Some(true);
        }
        self.word(b"false").then_some(false)
    }

    fn scalar(&mut self) -> Option<Value> {
        match self.peek()? {
            b'n' => self.word(b"null").then_some(Value::Null),
            b'"' => self.string().map(Value::from),
            _ => self.natural().map(Value::from),
        }
    }
}
