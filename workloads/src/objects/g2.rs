//! Pairs of transactions of which each looks whether there is a row with its key in either of two tables,
//! and inserts one if not (Adya's G2 as Jepsen has it): at most one of a pair may succeed.
//!
//! The two insert into different tables, so nothing but what they have looked for, a predicate, tells them
//! from each other.

use rand::RngExt;
use serde_json::{Value, json};

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `g2`.
pub const WORKLOAD: Workload = Workload {
    name: "g2",
    about: "Pairs of insertions into two tables, of which each depends on there being no row yet.",
    load: |_| Box::new(Pairs),
};

/// Two tables of rows that have a key each.
pub struct Insertion;

/// An insertion of a row, if no row has its key; otherwise
/// [`splitbrain_checker::history::ErrorKind::Mismatch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The row's key.
    pub key: String,
    /// Into which of the two tables, 0 or 1.
    pub table: usize,
    /// The row.
    pub id: i64,
}

impl Vocabulary for Insertion {
    const NAME: &'static str = "g2";
    type Call = Call;
    type Ret = ();

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let row = |table: usize| {
            let id = value[table].as_i64().filter(|_| value[1 - table].is_null())?;
            Some(Call { key: key?.to_owned(), table, id })
        };
        let row = row(0).or_else(|| row(1)).filter(|_| f == "insert");
        row.ok_or_else(|| Malformed {
            found: format!("{f} {value} of key {key:?}"),
            expected: "a key and insert [ID, null] or insert [null, ID]",
        })
    }

    fn encode(call: &Call, (): ()) -> Value {
        match call.table {
            0 => json!([call.id, null]),
            _ => json!([null, call.id]),
        }
    }
}

struct Pairs;

impl Load for Pairs {
    fn vocabulary(&self) -> &'static str {
        Insertion::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        operations('k')
    }

    fn after(&mut self) -> Box<dyn Generator> {
        operations('a')
    }
}

/// The two of a pair come right after each other, at two nodes where there are two.
fn operations(name: char) -> Box<dyn Generator> {
    let (mut made, mut first_at) = (0, 0);
    Box::new(Repeat(move |ctx: &mut Context| {
        let (pair, table) = (made / 2, (made % 2) as usize);
        if table == 0 {
            first_at = ctx.rng.random_range(0..ctx.nodes);
        }
        made += 1;
        let key = format!("{name}{pair}");
        let row = Insertion::encode(&Call { key: key.clone(), table, id: made }, ());
        let node = Some((first_at + table) % ctx.nodes);
        Invocation { node, ..Invocation::new("insert", key, row) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insertion_names_the_row_and_its_table() {
        for value in [json!([7, null]), json!([null, 8])] {
            let call = Insertion::decode("insert", Some("k1"), &value).unwrap();
            assert_eq!(Insertion::encode(&call, ()), value);
        }
        for wrong in [json!([7, 8]), json!([null, null]), json!(7)] {
            assert!(Insertion::decode("insert", Some("k1"), &wrong).is_err(), "{wrong}");
        }
        assert!(Insertion::decode("insert", None, &json!([7, null])).is_err());
    }
}
