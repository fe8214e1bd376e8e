//! A single value in bytes that no other has, and that say themselves where they end.
//!
//! Up to 191 a natural number is one byte, up to 4095 above that it is two, else a byte for its length
//! and its own without leading zeros. Null is one byte; a text and any other JSON begin with a mark
//! and their length.

use serde_json::Value;

/// Naturals below this are one byte.
const ONE_BYTE: u64 = 0xc0;
/// Those of two bytes begin here.
const TWO_BYTES: u8 = 0xc0;
const TWO_BYTES_MOST: u64 = ONE_BYTE + 0xfff;
/// This and the number of bytes.
const BYTES: u8 = 0xd0;
const NULL: u8 = 0xe0;
const TEXT: u8 = 0xe1;
const JSON: u8 = 0xe2;

/// A value that is no list, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom<'a>(&'a [u8]);

/// The same with bytes of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AtomOwned(Box<[u8]>);

impl AtomOwned {
    /// To read.
    pub fn get(&self) -> Atom<'_> {
        Atom(&self.0)
    }

    /// The atom that stands for a value; a list is one too here.
    pub fn of(value: &Value) -> AtomOwned {
        let mut bytes = Vec::new();
        push(value, &mut bytes);
        AtomOwned(bytes.into())
    }
}

impl<'a> Atom<'a> {
    /// Takes the first one of a row.
    pub(super) fn take(row: &mut &'a [u8]) -> Atom<'a> {
        let length = match row[0] {
            0..0xc0 | NULL => 1,
            TWO_BYTES..BYTES => 2,
            BYTES..NULL => 1 + usize::from(row[0] - BYTES),
            _ => {
                let mut rest = &row[1..];
                let length = Atom::take(&mut rest).natural().unwrap_or_default() as usize;
                row.len() - rest.len() + length
            }
        };
        let (atom, rest) = row.split_at(length);
        *row = rest;
        Atom(atom)
    }

    /// Its bytes, which no other value has.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.0 == [NULL]
    }

    /// The number, if it is a natural one.
    pub fn natural(self) -> Option<u64> {
        match *self.0 {
            [small @ 0..0xc0] => Some(u64::from(small)),
            [high @ TWO_BYTES..BYTES, low] => {
                Some(ONE_BYTE + (u64::from(high - TWO_BYTES) << 8 | u64::from(low)))
            }
            [BYTES..NULL, ref bytes @ ..] => {
                Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            _ => None,
        }
    }

    /// As JSON.
    pub fn value(self) -> Value {
        if let Some(number) = self.natural() {
            return number.into();
        }
        let mut rest = &self.0[1..];
        match self.0[0] {
            TEXT => {
                Atom::take(&mut rest);
                String::from_utf8_lossy(rest).into()
            }
            JSON => {
                Atom::take(&mut rest);
                serde_json::from_slice(rest).unwrap_or_default()
            }
            _ => Value::Null,
        }
    }
}

pub(super) fn push_natural(number: u64, bytes: &mut Vec<u8>) {
    match number {
        0..ONE_BYTE => bytes.push(number as u8),
        ONE_BYTE..=TWO_BYTES_MOST => {
            let number = number - ONE_BYTE;
            bytes.extend([TWO_BYTES + (number >> 8) as u8, number as u8]);
        }
        _ => {
            let length = 8 - number.leading_zeros() as u8 / 8;
            bytes.push(BYTES + length);
            bytes.extend(&number.to_le_bytes()[..usize::from(length)]);
        }
    }
}

pub(super) fn push_null(bytes: &mut Vec<u8>) {
    bytes.push(NULL);
}

pub(super) fn push_text(text: &str, bytes: &mut Vec<u8>) {
    push_marked(TEXT, text.as_bytes(), bytes);
}

fn push_marked(mark: u8, content: &[u8], bytes: &mut Vec<u8>) {
    bytes.push(mark);
    push_natural(content.len() as u64, bytes);
    bytes.extend(content);
}

pub(super) fn push(value: &Value, bytes: &mut Vec<u8>) {
    match (value, value.as_u64()) {
        (_, Some(number)) => push_natural(number, bytes),
        (Value::Null, _) => push_null(bytes),
        (Value::String(text), _) => push_text(text, bytes),
        (other, _) => push_marked(JSON, other.to_string().as_bytes(), bytes),
    }
}
