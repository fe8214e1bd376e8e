//! dbcop's binary notation: Rust's bincode of a history, all numbers in eight bytes, the least
//! first. Five numbers (id, nodes, variables, transactions, events), three texts (what, begin and
//! end), then a list of sessions of transactions of events. Lists and texts begin with their length.
//! An event is a byte for whether it writes, a variable, a value, and a byte for whether it
//! succeeded; after the events of a transaction a byte says whether it was committed.

use std::io::BufRead;

use serde_json::json;

use super::binary::Binary;
use super::{Transaction, begin};
use crate::history::Kind;
use crate::history::build::Builder;
use crate::history::read::ReadError;

/// Reads the whole input. Value 0 is the initial one.
pub(in crate::history) fn read_dbcop(
    input: impl BufRead,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    begin(&json!(0), builder)?;
    let input = &mut Binary::new(input);
    for _ in 0..5 {
        natural(input, "a number of the header")?;
    }
    for _ in 0..3 {
        let length = natural(input, "the length of a text")?;
        input.pass(length, "a text")?;
    }
    for session in 0..natural(input, "the number of sessions")? {
        for _ in 0..natural(input, "the number of transactions")? {
            let mut transaction = Transaction { session, ..Transaction::default() };
            for _ in 0..natural(input, "the number of events")? {
                let writes = flag(input, "whether an event writes")?;
                let variable = natural(input, "a variable")?;
                let value = natural(input, "a value")?;
                let succeeded = flag(input, "whether an event succeeded")?;
                match writes {
                    true => transaction.write(variable, value),
                    // What was not answered says nothing.
                    false => transaction.read(variable, succeeded.then_some(value)),
                }
            }
            let committed = flag(input, "whether a transaction was committed")?;
            let kind = if committed { Kind::Ok } else { Kind::Fail };
            transaction.end(1, kind, builder)?;
        }
    }
    match input.byte()? {
        None => Ok(()),
        Some(_) => Err(input.malformed("the end of the file", "more bytes")),
    }
}

fn natural(input: &mut Binary<impl BufRead>, what: &str) -> Result<u64, ReadError> {
    input.eight(what).map(u64::from_le_bytes)
}

fn flag(input: &mut Binary<impl BufRead>, what: &str) -> Result<bool, ReadError> {
    match input.byte()? {
        Some(flag @ (0 | 1)) => Ok(flag == 1),
        Some(other) => Err(input.malformed(what, &format!("{other}, which is neither 0 nor 1"))),
        None => Err(input.malformed(what, "the end of the file")),
    }
}
