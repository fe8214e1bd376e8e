//! Rows that are inserted one after another and read all at once (Jepsen's causal-reverse): who sees a row
//! sees all that were there before its insertion began.

use rand::RngExt;
use serde_json::Value;

use super::{KEY_CHOICE, KEYS, Load, Settings, Workload};
use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `causal-reverse`.
pub const WORKLOAD: Workload = Workload {
    name: "causal-reverse",
    about: "Rows that are inserted one after another, and reads of all of them at once.",
    load: |settings| Box::new(Insertions { settings: settings.clone() }),
};

/// A table of at most [`ROWS`] rows.
pub struct Table;

/// A table has at most so many rows: 0, 1, ...
pub const ROWS: usize = 40;

/// A call on one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which table.
    pub key: String,
    /// The row that is inserted, below [`ROWS`]; nothing to read them all.
    pub insert: Option<usize>,
}

impl Vocabulary for Table {
    const NAME: &'static str = "causal-reverse";
    type Call = Call;
    /// For a read the rows that there are, all of one moment.
    type Ret = Option<Vec<Value>>;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let insert = match f {
            "read" if value.is_null() => Some(None),
            "write" => {
                let row = value.as_u64().map(|row| row as usize).filter(|row| *row < ROWS);
                row.map(Some)
            }
            _ => None,
        };
        key.zip(insert).map(|(key, insert)| Call { key: key.to_owned(), insert }).ok_or_else(|| {
            Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and read null or write ROW, below 40",
            }
        })
    }

    fn encode(call: &Call, ret: Option<Vec<Value>>) -> Value {
        ret.map(Value::Array).or(call.insert.map(Value::from)).unwrap_or_default()
    }
}

struct Insertions {
    settings: Settings,
}

impl Load for Insertions {
    fn vocabulary(&self) -> &'static str {
        Table::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[KEYS, KEY_CHOICE]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        operations(&self.settings, 'k')
    }

    fn after(&mut self) -> Box<dyn Generator> {
        operations(&self.settings, 'a')
    }
}

/// A table that is full is replaced by another.
fn operations(settings: &Settings, name: char) -> Box<dyn Generator> {
    let settings = settings.clone();
    let mut tables: Vec<(usize, usize)> =
        (0..settings.keys(keys::KEYS)).map(|table| (table, 0)).collect();
    let mut made = tables.len();
    Box::new(Repeat(move |ctx: &mut Context| {
        let at = settings.choose(KeyChoice::Uniform, ctx, tables.len());
        let (table, rows) = &mut tables[at];
        let inserts = ctx.rng.random_bool(0.5);
        if inserts && *rows == ROWS {
            (*table, *rows) = (made, 0);
            made += 1;
        }
        let key = format!("{name}{table}");
        let mut invocation = match inserts {
            true => Invocation::new("write", key, *rows),
            false => Invocation::new("read", key, Value::Null),
        };
        *rows += usize::from(inserts);
        invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
        invocation
    }))
}
