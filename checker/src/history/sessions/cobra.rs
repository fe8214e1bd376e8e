//! The logs of Cobra (Tan et al., OSDI 2020), one file for each session: after a letter come numbers
//! in eight bytes, the greatest first. `S` begins a transaction and `C` commits it, both with its
//! number; `W` is a write with its own number, a key and a value, `R` a read with the numbers of the
//! transaction and of the write that it saw, a key and a value. Keys and values are hashes, so
//! that a write's number, which is unique, is what it wrote.

use std::io::BufRead;

use serde_json::Value;

use super::binary::Binary;
use super::{Transaction, begin};
use crate::history::Kind;
use crate::history::build::Builder;
use crate::history::read::ReadError;

/// In the place of a transaction or a write: what was there before, or nothing.
const INITIAL: [u64; 2] = [0xbebe_ebee, 0xdead_beef];
/// In the place of a write: a read of Cobra's own, for collecting its garbage.
const OF_COBRA: [u64; 2] = [0x2333_2333, 0x6666_6666];

/// Reads one session, of a number of its own.
pub(in crate::history) fn read_cobra(
    input: impl BufRead,
    session: u64,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    begin(&Value::Null, builder)?;
    let mut input = Binary::new(input);
    let mut open: Option<(u64, Transaction)> = None;
    while let Some(letter) = input.byte()? {
        let mut number = |what: &str| input.eight(what).map(u64::from_be_bytes);
        match (letter, &mut open) {
            (b'S', None) => {
                let transaction = Transaction { session, ..Transaction::default() };
                open = Some((number("a transaction")?, transaction));
            }
            (b'C', Some((of, transaction))) => {
                let found = number("a transaction")?;
                if found != *of {
                    let expected = format!("the end of transaction {of}");
                    return Err(input.malformed(&expected, &format!("that of {found}")));
                }
                transaction.end(1, Kind::Ok, builder)?;
                open = None;
            }
            (b'W', Some((_, transaction))) => {
                let (write, key) = (number("a write")?, number("a key")?);
                number("a value")?;
                transaction.write(key, write);
            }
            (b'R', Some((_, transaction))) => {
                let (of, write) = (number("a transaction")?, number("a write")?);
                let key = number("a key")?;
                number("a value")?;
                match INITIAL.contains(&of) {
                    false => transaction.read(key, Some(write)),
                    true if INITIAL.contains(&write) => transaction.read(key, None),
                    true if OF_COBRA.contains(&write) => {}
                    true => {
                        let found = format!("write {write} of none");
                        return Err(input.malformed("a write of a transaction", &found));
                    }
                }
            }
            (other, open) => {
                let expected = if open.is_some() { "W, R or C" } else { "S" };
                let found = char::from(other).escape_default().to_string();
                return Err(input.malformed(expected, &found));
            }
        }
    }
    // Whoever wrote the log ended before the transaction did.
    if let Some((_, mut transaction)) = open {
        transaction.end(1, Kind::Info, builder)?;
    }
    Ok(())
}
