//! The two notations in text.
//!
//! Plume's and PolySI's has a line `r(key,value,session,transaction)` or `w(...)` for each
//! operation; neighbours of one session and transaction belong together, and transaction -1 is one
//! that was rolled back. AWDIT's has lines `r KEY VALUE` and `w KEY VALUE`, a line of dashes
//! between transactions and a line of equals signs between sessions, and comments after `#`.

use std::io::BufRead;

use serde_json::{Value, json};

use super::{Transaction, begin};
use crate::history::build::Builder;
use crate::history::lines::each_line;
use crate::history::read::ReadError;
use crate::history::words::{digits_in, number_of};
use crate::history::{Kind, Malformed};

/// Reads Plume's notation. The value 0 is the initial one.
pub(in crate::history) fn read_plume(
    input: impl BufRead,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    begin(&json!(0), builder)?;
    let mut open = Transaction::default();
    let mut number = None;
    let mut last_line = 0;
    each_line(input, |at, text| {
        if text.is_empty() {
            return Ok(());
        }
        let (writes, [key, value, session, transaction]) = operation(text).ok_or_else(|| {
            malformed(at, "r(key,value,session,transaction) or w(...), all of them numbers", text)
        })?;
        let natural = |number: i64, what: &str| {
            u64::try_from(number).map_err(|_| malformed(at, &format!("a natural {what}"), text))
        };
        let (key, session) = (natural(key, "key")?, natural(session, "session")?);
        let value = natural(value, "value")?;
        if (Some(transaction), session) != (number, open.session) {
            end(&mut open, last_line, number, builder)?;
            (open.session, number) = (session, Some(transaction));
        }
        match writes {
            true => open.write(key, value),
            false => open.read(key, Some(value)),
        }
        last_line = at;
        Ok(())
    })?;
    Ok(end(&mut open, last_line, number, builder)?)
}

fn end(
    open: &mut Transaction,
    line: u64,
    number: Option<i64>,
    builder: &mut Builder,
) -> Result<(), Malformed> {
    let kind = if number == Some(-1) { Kind::Fail } else { Kind::Ok };
    if open.is_empty() { Ok(()) } else { open.end(line, kind, builder) }
}

/// Whether it writes, and the four numbers.
fn operation(text: &str) -> Option<(bool, [i64; 4])> {
    let (writes, mut rest) = match text.as_bytes() {
        [b'w', b'(', rest @ ..] => (true, rest),
        [b'r', b'(', rest @ ..] => (false, rest),
        _ => return None,
    };
    let mut numbers = [0; 4];
    for (number, end) in numbers.iter_mut().zip(b",,,)") {
        rest = rest.trim_ascii_start();
        let unsigned = rest.strip_prefix(b"-").unwrap_or(rest);
        let sign = if unsigned.len() < rest.len() { -1 } else { 1 };
        let digits = digits_in(unsigned);
        if !(1..=19).contains(&digits) {
            return None;
        }
        *number = sign * i64::try_from(number_of(&unsigned[..digits])).ok()?;
        rest = unsigned[digits..].trim_ascii_start().strip_prefix(&[*end])?;
    }
    rest.is_empty().then_some((writes, numbers))
}

/// Reads AWDIT's notation. Nothing says which value is the initial one.
pub(in crate::history) fn read_awdit(
    input: impl BufRead,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    begin(&Value::Null, builder)?;
    let mut open = Transaction::default();
    let mut last_line = 0;
    each_line(input, |at, text| {
        let text = text.split('#').next().unwrap_or_default().trim();
        let is_line_of = |sign| text.chars().all(|found| found == sign);
        if text.is_empty() {
            return Ok(());
        } else if is_line_of('-') || is_line_of('=') {
            if !open.is_empty() {
                open.end(last_line, Kind::Ok, builder)?;
            }
            open.session += u64::from(is_line_of('='));
            return Ok(());
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let [what @ ("r" | "w"), key, value] = words[..] else {
            return Err(malformed(at, "r KEY VALUE or w KEY VALUE", text).into());
        };
        let natural =
            |word: &str| word.parse::<u64>().map_err(|_| malformed(at, "natural numbers", text));
        let (key, value) = (natural(key)?, natural(value)?);
        match what {
            "w" => open.write(key, value),
            _ => open.read(key, Some(value)),
        }
        last_line = at;
        Ok(())
    })?;
    if !open.is_empty() {
        open.end(last_line, Kind::Ok, builder)?;
    }
    Ok(())
}

fn malformed(line: u64, expected: &str, found: &str) -> Malformed {
    Malformed::new(line, expected, found)
}
