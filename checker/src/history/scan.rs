//! Reads ordinary JSON lines some times faster than a general JSON reader can.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::event::ABSENT;
use super::line::Line;
use super::steps::{Action, Writer};
use super::words::{digits_in, number_of, plain_in};
use super::{Datum, Kind};

impl<'a> Line<'a> {
    /// Reads a JSON object of the plain kind from the beginning of a text, and the rest of its line:
    /// no escapes, nothing but ASCII, whole numbers, arrays of these at most, and no blanks between
    /// a name and its colon. Also returns what follows that line.
    ///
    /// `None` does not mean that the line is wrong: it is to be read in the general way, which
    /// gives the same for every line that is read here, and says what is wrong with the others.
    pub fn scan(text: &'a str) -> Option<(Line<'a>, &'a str)> {
        let mut rest = Scanner { text, rest: text.as_bytes() };
        let mut line = Line {
            index: ABSENT,
            time: ABSENT,
            kind: Kind::Info,
            process: 0,
            f: "",
            key: None,
            value: Datum::Null,
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
        rest.end_of_line()?;
        has_all.then_some((line, text.get(rest.at()..)?))
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
    text: &'a str,
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// The position in the text.
    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

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

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let at = self.at();
        self.rest = &self.rest[length..];
        self.text.get(at..at + length)
    }

    /// Passes over a word if it stands next. Its length is known when this is compiled, so that it
    /// is compared as a number.
    fn word<const N: usize>(&mut self, word: &[u8; N]) -> bool {
        match self.rest.split_first_chunk::<N>() {
            Some((found, rest)) if found == word => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes over the end of the line, before which nothing but blanks may be left.
    fn end_of_line(&mut self) -> Option<()> {
        match (self.peek(), self.rest) {
            (None, _) => {}
            (_, [b'\n', next @ ..] | [b'\r', b'\n', next @ ..]) => self.rest = next,
            _ => return None,
        }
        Some(())
    }

    /// A name and its colon. The first letters lead to the only name that it can be.
    fn field(&mut self) -> Option<Field> {
        self.expect(b'"')?;
        let (found, field) = match self.rest {
            [b'i', ..] => (self.word(b"index\":"), Field::Index),
            [b't', b'i', ..] => (self.word(b"time\":"), Field::Time),
            [b't', ..] => (self.word(b"type\":"), Field::Type),
            [b'p', b'r', b'o', b'b', ..] => (self.word(b"probe\":"), Field::Probe),
            [b'p', ..] => (self.word(b"process\":"), Field::Process),
            [b'f', ..] => (self.word(b"f\":"), Field::F),
            [b'k', ..] => (self.word(b"key\":"), Field::Key),
            [b'v', b'a', ..] => (self.word(b"value\":"), Field::Value),
            [b'v', ..] => (self.word(b"version\":"), Field::Version),
            [b'c', ..] => (self.word(b"client\":"), Field::Client),
            [b'n', ..] => (self.word(b"node\":"), Field::Node),
            _ => (self.word(b"due\":"), Field::Due),
        };
        found.then_some(field)
    }

    fn kind(&mut self) -> Option<Kind> {
        self.expect(b'"')?;
        let (found, kind) = match self.rest {
            [b'o', ..] => (self.word(b"ok\""), Kind::Ok),
            [b'i', b'n', b'v', ..] => (self.word(b"invoke\""), Kind::Invoke),
            [b'i', ..] => (self.word(b"info\""), Kind::Info),
            _ => (self.word(b"fail\""), Kind::Fail),
        };
        found.then_some(kind)
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
        let text = self.take(plain_in(self.rest))?;
        self.word(b"\"").then_some(text)
    }

    /// The length of digits without a sign and without zeros before them, and with nothing after
    /// them that would make another number of them.
    fn digits(&mut self) -> Option<usize> {
        self.peek()?;
        let length = digits_in(self.rest);
        let more = matches!(self.rest.get(length)?, b'.' | b'e' | b'E');
        let padded = length > 1 && self.rest[0] == b'0';
        (length > 0 && !more && !padded).then_some(length)
    }

    /// A number of at most 19 digits, which always fits.
    fn natural(&mut self) -> Option<u64> {
        let length = self.digits().filter(|length| *length <= 19)?;
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(number_of(digits))
    }

    /// A key is a text, also if it is a number; and a text of digits stands in its quotes, so that
    /// it is another one. Other texts that could be mistaken are left to others.
    fn key(&mut self) -> Option<&'a str> {
        if self.peek()? != b'"' {
            let length = self.digits().filter(|length| *length <= 19)?;
            return self.take(length);
        }
        let quoted = self.at();
        let text = self.string()?;
        match text.bytes().next() {
            Some(b'1'..=b'9') if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.text.get(quoted..self.at()).filter(|_| text.len() <= 19)
            }
            Some(b'-' | b'0'..=b'9' | b'[' | b'{') => None,
            _ => (!matches!(text, "true" | "false" | "null")).then_some(text),
        }
    }

    fn value(&mut self) -> Option<Datum> {
        if self.peek()? != b'[' {
            return self.scalar();
        }
        self.expect(b'[')?;
        if self.peek()? == b'[' {
            return self.steps();
        }
        let mut elements = Vec::with_capacity(2);
        if self.peek()? == b']' {
            self.symbol();
            return Some(Datum::List(elements.into()));
        }
        loop {
            elements.push(self.scalar()?);
            match self.symbol()? {
                b',' => {}
                b']' => return Some(Datum::List(elements.into())),
                _ => return None,
            }
        }
    }

    /// The steps of a transaction whose array has begun.
    fn steps(&mut self) -> Option<Datum> {
        let mut writer = Writer::default();
        loop {
            self.expect(b'[')?;
            self.expect(b'"')?;
            let action = match self.rest {
                [b'r', ..] => self.word(b"r\"").then_some(Action::Read),
                [b'a', ..] => self.word(b"append\"").then_some(Action::Append),
                _ => self.word(b"w\"").then_some(Action::Write),
            };
            writer.step(action?);
            self.expect(b',')?;
            self.atom(&mut writer)?;
            self.expect(b',')?;
            match self.peek()? {
                b'[' => self.list(&mut writer)?,
                _ => self.atom(&mut writer)?,
            }
            self.expect(b']')?;
            match self.symbol()? {
                b',' => {}
                b']' => return writer.finish().map(Datum::Steps),
                _ => return None,
            }
        }
    }

    fn list(&mut self, writer: &mut Writer) -> Option<()> {
        self.expect(b'[')?;
        let begun = writer.begin_list();
        let mut count = 0;
        if self.peek()? == b']' {
            self.symbol();
        } else {
            loop {
                self.atom(writer)?;
                count += 1;
                match self.symbol()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        writer.end_list(begun, count);
        Some(())
    }

    fn atom(&mut self, writer: &mut Writer) -> Option<()> {
        match self.peek()? {
            b'n' => self.word(b"null").then(|| writer.null()),
            b'"' => self.string().map(|text| writer.text(text)),
            _ => self.natural().map(|number| writer.natural(number)),
        }
    }

    fn truth(&mut self) -> Option<bool> {
        self.peek()?;
        if self.word(b"true") {
            return Some(true);
        }
        self.word(b"false").then_some(false)
    }

    fn scalar(&mut self) -> Option<Datum> {
        match self.peek()? {
            b'n' => self.word(b"null").then_some(Datum::Null),
            b'"' => self.string().map(Datum::from),
            _ => self.natural().map(Datum::from),
        }
    }
}
