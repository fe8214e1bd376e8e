//! Reads ordinary JSON lines some times faster than a general JSON reader can.

use std::borrow::Cow;

use serde_json::Value;

use super::Kind;
use super::event::ABSENT;
use super::line::{Line, kind_of};

impl<'a> Line<'a> {
    /// Reads a JSON object of the plain kind: no escapes, nothing but ASCII, whole numbers, and
    /// arrays of these at most.
    ///
    /// `None` does not mean that the line is wrong: it is to be read in the general way, which
    /// gives the same for every line that is read here, and says what is wrong with the others.
    pub fn scan(text: &'a [u8]) -> Option<Line<'a>> {
        let mut rest = Scanner { rest: text };
        let (mut kind, mut process, mut f) = (None, None, None);
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
            error: None,
        };
        let mut seen = 0_u16;
        rest.expect(b'{')?;
        loop {
            let name = rest.quoted()?;
            rest.expect(b':')?;
            let field = match name {
                b"index" => {
                    line.index = rest.natural()?;
                    0
                }
                b"time" => {
                    line.time = rest.natural()?;
                    1
                }
                b"type" => {
                    kind = Some(kind_of(rest.string()?)?);
                    2
                }
                b"process" => {
                    process = Some(rest.natural()?);
                    3
                }
                b"f" => {
                    f = Some(rest.string()?);
                    4
                }
                b"key" => {
                    line.key = Some(Cow::Borrowed(rest.key()?));
                    5
                }
                b"value" => {
                    line.value = rest.value()?;
                    6
                }
                b"version" => {
                    line.version = Some(rest.natural()?);
                    7
                }
                b"client" => {
                    line.client = Some(u32::try_from(rest.natural()?).ok()?);
                    8
                }
                b"node" => {
                    line.node = Some(rest.string()?);
                    9
                }
                b"due" => {
                    line.due = Some(rest.natural()?);
                    10
                }
                _ => return None,
            };
            if seen & (1 << field) != 0 {
                return None;
            }
            seen |= 1 << field;
            match rest.symbol()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        (line.kind, line.process, line.f) = (kind?, process?, f?);
        rest.rest.is_empty().then_some(line)
    }
}

/// What is left of a line. Every method passes over blanks first.
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

    fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.quoted()?).ok()
    }

    fn quoted(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let length = self.rest.iter().position(|byte| !is_plain(byte))?;
        let text = self.take(length);
        self.rest = self.rest.strip_prefix(b"\"")?;
        Some(text)
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

    /// What does not fit is a float to the general reader.
    fn natural(&mut self) -> Option<u64> {
        let length = self.digits()?;
        let mut digits = self.take(length).iter();
        digits.try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
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

    fn scalar(&mut self) -> Option<Value> {
        match self.peek()? {
            b'n' => {
                self.rest = self.rest.strip_prefix(b"null")?;
                Some(Value::Null)
            }
            b'"' => self.string().map(Value::from),
            _ => self.natural().map(Value::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::line::symbol;
    use crate::history::{Event, Process};
    use proptest::prelude::*;

    /// Whether the line is scanned; what comes of it must be what the general reader makes of it.
    #[track_caller]
    fn scanned(text: &str) -> bool {
        let Some(line) = Line::scan(text.as_bytes()) else { return false };
        let event: Event = serde_json::from_str(text).unwrap_or_else(|error| {
            panic!("{text} is scanned, but the general reader says {error}")
        });
        let same = Event {
            key: line.key.map(Cow::into_owned),
            value: line.value,
            version: line.version,
            client: line.client,
            node: line.node.map(|node| node.to_owned().into()),
            due: line.due,
            ..Event::new(
                line.index,
                line.time,
                line.kind,
                Process::Client(line.process),
                symbol(line.f),
            )
        };
        assert_eq!(same, event, "{text}");
        true
    }

    #[test]
    fn ordinary_lines_are_scanned() {
        let own = r#"{"index":17,"time":12,"type":"invoke","process":3,"f":"write","key":"k7","value":41,"client":3,"node":"n2","due":11}"#;
        assert!(scanned(own));
        for value in ["null", "0", "18446744073709551615", "\"x\"", "[]", "[1, null]", "[\"a\"]"] {
            let line = format!(r#"{{"process":0, "type": "ok", "f":"read", "value":{value}}}"#);
            assert!(scanned(&line), "{line}");
        }
        assert!(scanned(r#"{ "process":0,"type":"ok","f":"cas","key":71,"version":4,"time":1 }"#));
    }

    #[test]
    fn all_others_are_left_to_the_general_reader() {
        for value in ["01", "1.5", "1e3", "-1", "true", "[[1]]", "{}", "18446744073709551616"] {
            let line = format!(r#"{{"process":0,"type":"ok","f":"read","value":{value}}}"#);
            assert!(!scanned(&line), "{line}");
        }
        for line in [
            "",
            "{}",
            "{",
            r#"{"process":0,"type":"ok","f":"read"} x"#,
            r#"{"process":0,"type":"ok","f":"read",}"#,
            r#"{"process":0,"type":"ok","f":"read","f":"read"}"#,
            r#"{"process":0,"type":"done","f":"read"}"#,
            r#"{"process":0,"type":"ok"}"#,
            r#"{"process":"nemesis","type":"info","f":"start"}"#,
            r#"{"process":0,"type":"ok","f":"r\u0065ad"}"#,
            r#"{"process":0,"type":"ok","f":"lëse"}"#,
            r#"{"process":0,"type":"ok","f":"read","client":4294967296}"#,
            r#"{"process":0,"type":"info","f":"read","error":{"kind":"timeout"}}"#,
        ] {
            assert!(!scanned(line), "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A line with a few bytes changed, put in or left out.
        #[test]
        fn damaged_lines_are_read_alike(
            changes in prop::collection::vec((0..130_usize, 0..3_u8, 0..20_usize), 0..4),
        ) {
            let mut line = br#"{"index":17,"time":12,"type":"invoke","process":3,"f":"cas","key":"k7","value":[41,42],"client":3,"node":"n2","due":11}"#.to_vec();
            for (at, how, byte) in changes {
                let at = at % line.len();
                let byte = b"\"\\{}[],: 0123-.enx\t"[byte % 19];
                match how {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    _ => {
                        line.remove(at);
                    }
                }
            }
            scanned(std::str::from_utf8(&line).expect("ASCII"));
        }
    }
}
