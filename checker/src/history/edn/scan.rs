//! Reads the ordinary maps of transactions many times faster than a general reader of EDN can.

use crate::history::event::ABSENT;
use crate::history::line::Line;
use crate::history::steps::{Action, Writer};
use crate::history::words::{digits_in, number_of};
use crate::history::{Datum, Kind};

/// Reads the map of a client's transaction from the beginning of a text: `:index`, `:time`, `:type`,
/// `:process`, `:f` and `:value`, of which the last is a vector of steps on natural numbers. Also
/// returns what follows its line.
///
/// `None` does not mean that the line is wrong: it is to be read in the general way, which gives the
/// same for every line that is read here.
pub(in crate::history) fn scan_map(text: &str) -> Option<(Line<'_>, &str)> {
    let mut rest = Scanner { rest: text.as_bytes() };
    let mut line = Line {
        index: ABSENT,
        time: ABSENT,
        kind: Kind::Info,
        process: 0,
        f: "txn",
        key: None,
        value: Datum::Null,
        version: None,
        client: None,
        node: None,
        due: None,
        probe: false,
        error: None,
    };
    let mut seen = 0_u8;
    rest.expect(b'{')?;
    while rest.peek()? != b'}' {
        let field = rest.field()?;
        match field {
            Field::Index => line.index = rest.natural()?,
            Field::Time => line.time = rest.natural()?,
            Field::Type => line.kind = rest.kind()?,
            Field::Process => line.process = rest.natural()?,
            Field::F => rest.word(b":txn")?,
            Field::Value => line.value = rest.steps()?,
        }
        let bit = 1 << field as u8;
        if seen & bit != 0 {
            return None;
        }
        seen |= bit;
        // What stands here could go on what stands before it.
        if !matches!(rest.rest.first()?, b' ' | b',' | b'}') {
            return None;
        }
    }
    rest.expect(b'}')?;
    let needed = [Field::Type, Field::Process, Field::Value];
    let has_all = needed.into_iter().all(|field| seen & (1 << field as u8) != 0);
    // A map without a name is a transaction's if it has steps.
    let is_named = seen & (1 << Field::F as u8) != 0 || line.value.as_steps().is_some();
    let left = rest.end_of_line()?;
    (has_all && is_named).then_some((line, text.get(text.len() - left..)?))
}

#[derive(Clone, Copy)]
enum Field {
    Index,
    Time,
    Type,
    Process,
    F,
    Value,
}

/// What is left of a text.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    /// The next byte that is no blank, which stays.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b',' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.rest = &self.rest[1..];
        found.then_some(())
    }

    fn word<const N: usize>(&mut self, word: &[u8; N]) -> Option<()> {
        self.peek()?;
        let (found, rest) = self.rest.split_first_chunk::<N>()?;
        (found == word).then(|| self.rest = rest)
    }

    fn field(&mut self) -> Option<Field> {
        self.expect(b':')?;
        let (field, name): (Field, &[u8]) = match self.rest {
            [b'i', ..] => (Field::Index, b"index "),
            [b't', b'i', ..] => (Field::Time, b"time "),
            [b't', ..] => (Field::Type, b"type "),
            [b'p', ..] => (Field::Process, b"process "),
            [b'f', ..] => (Field::F, b"f "),
            _ => (Field::Value, b"value "),
        };
        self.rest = self.rest.strip_prefix(name)?;
        Some(field)
    }

    fn kind(&mut self) -> Option<Kind> {
        self.expect(b':')?;
        let kinds: [(Kind, &[u8]); 4] = [
            (Kind::Ok, b"ok"),
            (Kind::Invoke, b"invoke"),
            (Kind::Info, b"info"),
            (Kind::Fail, b"fail"),
        ];
        let (kind, rest) = kinds
            .into_iter()
            .find_map(|(kind, name)| Some((kind, self.rest.strip_prefix(name)?)))?;
        self.rest = rest;
        Some(kind)
    }

    /// A number of at most 19 digits without zeros before them, which always fits, before something
    /// that is no part of it.
    fn natural(&mut self) -> Option<u64> {
        self.peek()?;
        self.number()
    }

    /// The same without blanks before it.
    fn number(&mut self) -> Option<u64> {
        // Most are short.
        let (mut number, mut length) = (0, 0);
        while let Some(digit) = self.rest.get(length).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
        {
            if length == 4 {
                length = digits_in(self.rest);
                if length > 19 {
                    return None;
                }
                number = number_of(&self.rest[..length]);
                break;
            }
            number = number * 10 + u64::from(digit);
            length += 1;
        }
        let padded = length > 1 && self.rest[0] == b'0';
        let (_, rest) = self.rest.split_at(length);
        self.rest = rest;
        let ends = matches!(rest.first()?, b' ' | b',' | b']' | b'}');
        (length > 0 && !padded && ends).then_some(number)
    }

    fn steps(&mut self) -> Option<Datum> {
        let mut writer = Writer::default();
        self.expect(b'[')?;
        loop {
            match self.peek()? {
                b'[' => self.rest = &self.rest[1..],
                b']' => break self.rest = &self.rest[1..],
                _ => return None,
            }
            self.expect(b':')?;
            let actions: [(Action, &[u8]); 3] =
                [(Action::Read, b"r "), (Action::Append, b"append "), (Action::Write, b"w ")];
            let (action, rest) = actions
                .into_iter()
                .find_map(|(action, name)| Some((action, self.rest.strip_prefix(name)?)))?;
            self.rest = rest;
            writer.step(action);
            writer.natural(self.natural()?);
            match self.peek()? {
                b'n' => {
                    self.word(b"nil")?;
                    writer.null();
                }
                b'[' => self.list(&mut writer)?,
                _ => writer.natural(self.number()?),
            }
            self.expect(b']')?;
        }
        writer.finish().map(Datum::Steps)
    }

    fn list(&mut self, writer: &mut Writer) -> Option<()> {
        self.expect(b'[')?;
        let begun = writer.begin_list();
        let mut count = 0;
        while self.peek()? != b']' {
            writer.natural(self.number()?);
            count += 1;
        }
        writer.end_list(begun, count);
        self.expect(b']')
    }

    /// How much follows the end of the line, before which nothing but blanks may be left.
    fn end_of_line(&mut self) -> Option<usize> {
        match (self.peek(), self.rest) {
            (None, _) => Some(0),
            (_, [b'\n', next @ ..] | [b'\r', b'\n', next @ ..]) => Some(next.len()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::{History, ReadOptions};

    /// Whether a map is read here; if so it is the same as in a form that only the general reader takes.
    fn is_plain(invoked: &str, completed: &str) -> bool {
        let text = format!("{invoked}\n{completed}\n");
        let plain = scan_map(&text).is_some() && scan_map(completed).is_some();
        let read = |text: &str| {
            let options = ReadOptions {
                format: Some("edn".parse().expect("a format")),
                ..ReadOptions::default()
            };
            let history = History::read_with(text.as_bytes(), &options).ok()?;
            Some(history.events().collect::<Vec<_>>())
        };
        assert_eq!(read(&text), read(&format!("[{text}]")), "{text}");
        plain
    }

    #[test]
    fn ordinary_transactions_are_read_here() {
        let invoke = "{:index 0, :time 3, :type :invoke, :process 1, :f :txn, :value [[:append 3 1] [:r 3 nil]]}";
        assert!(is_plain(
            invoke,
            "{:type :ok, :process 1, :value [[:append 3 1] [:r 3 [190 191 192 5000 123456]]]}"
        ));
        assert!(is_plain(
            invoke,
            "{ :process 1,:type :fail :f :txn :value [[:append 3 1] [:r 3 nil]] } "
        ));
    }

    #[test]
    fn others_are_left_to_the_general_reader() {
        let invoke = "{:type :invoke, :process 1, :f :txn, :value [[:append 3 1] [:r 3 nil]]}";
        for completed in [
            "{:type :ok, :process 1, :f :txn, :value [[:append 3 1] [:r 3 [1.5]]]}",
            "{:type :ok, :process 1, :f :txn, :value [[:append 3 1] [:r :x [01]]]}",
            "{:type :info, :process 1, :f :txn, :value nil, :error :timeout}",
            "{:type :ok, :process 1, :f :txn, :value [[:append 3 1] [:r 3 [1]]]} ; a comment",
            "{:type :ok, :process 1, :f :txn, :value [[:append 3 1]\n [:r 3 [1]]]}",
            "{:type :ok, :process 1, :f :txn, :value []}",
        ] {
            assert!(!is_plain(invoke, completed), "{completed}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_general_reader_reads(
            text in r"\{:type :ok[ ,]{1,2}:process 1[, ]:(f :txn|f:txn|index 0[0-2]?) :value \[(\[:(r|w|append) [0-9]{1,21} ?(nil|[0-9]{1,6}|\[[0-9 ,.]{0,5}\])\]){0,2}\][ }\]]\}?"
        ) {
            is_plain("{:type :invoke, :process 1, :f :txn, :value nil}", &text);
        }
    }
}
