//! The formats of the transactional checkers Plume, PolySI, AWDIT, dbcop and Cobra: what each session's
//! transactions read and wrote. They have no times, so nothing is known of the order of two
//! sessions' transactions but what the values tell.

mod binary;
mod cobra;
mod dbcop;
mod text;
mod write;

use serde_json::{Value, json};

pub(super) use cobra::read_cobra;
pub(super) use dbcop::read_dbcop;
pub(super) use text::{read_awdit, read_plume};
pub(super) use write::{fits, write_dbcop, write_plume};

use super::build::Builder;
use super::event::ABSENT;
use super::line::Line;
use super::read::ReadError;
use super::steps::{Action, Writer};
use super::{Datum, Header, Kind, Malformed, SCHEMA_VERSION};

/// The transaction that is being read.
#[derive(Default)]
struct Transaction {
    session: u64,
    /// What was asked for: `["r", key, null]` and `["w", key, value]`.
    asked: Writer,
    /// The same with what was read.
    answered: Writer,
}

impl Transaction {
    /// Adds a read; `None` for what holds no value yet, or is not known.
    fn read(&mut self, key: u64, value: Option<u64>) {
        for (writer, value) in [(&mut self.asked, None), (&mut self.answered, value)] {
            writer.step(Action::Read);
            writer.natural(key);
            match value {
                Some(value) => writer.natural(value),
                None => writer.null(),
            }
        }
    }

    fn write(&mut self, key: u64, value: u64) {
        for writer in [&mut self.asked, &mut self.answered] {
            writer.step(Action::Write);
            writer.natural(key);
            writer.natural(value);
        }
    }

    /// Hands it over as an operation of its session, and begins the next.
    fn end(&mut self, line: u64, kind: Kind, builder: &mut Builder) -> Result<(), Malformed> {
        for (kind, steps) in [(Kind::Invoke, &mut self.asked), (kind, &mut self.answered)] {
            let value = steps.finish().map_or_else(|| Datum::List(Box::default()), Datum::Steps);
            let mut event = Line {
                index: ABSENT,
                time: ABSENT,
                kind,
                process: self.session,
                f: "txn",
                key: None,
                value,
                version: None,
                client: None,
                node: None,
                due: None,
                probe: false,
                error: None,
            };
            builder.client(line, &mut event)?;
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }
}

/// What the files do not say themselves: registers in transactions, and no times.
fn begin(initial: &Value, builder: &mut Builder) -> Result<(), ReadError> {
    let header = json!({
        "splitbrain": SCHEMA_VERSION,
        "vocabulary": "rw-register",
        "initial": initial,
        "session_order_only": true,
    });
    let header: Header = serde_json::from_value(header).map_err(std::io::Error::from)?;
    builder.header(header);
    Ok(())
}
