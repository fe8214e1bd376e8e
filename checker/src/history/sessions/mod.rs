//! The formats of the transactional checkers Plume, PolySI, AWDIT, dbcop and Cobra: what each session's
//! transactions read and wrote. They have no times, so nothing is known of the order of two
//! sessions' transactions but what the values tell.

mod binary;
mod cobra;
mod dbcop;
mod text;

use serde_json::{Value, json};

pub(super) use cobra::read_cobra;
pub(super) use dbcop::read_dbcop;
pub(super) use text::{read_awdit, read_plume};

use super::build::Builder;
use super::event::ABSENT;
use super::read::ReadError;
use super::{Event, Header, Kind, Malformed, Process, SCHEMA_VERSION};

/// The transaction that is being read.
#[derive(Default)]
struct Transaction {
    session: u64,
    /// What was asked for: `["r", key, null]` and `["w", key, value]`.
    asked: Vec<Value>,
    /// The same with what was read.
    answered: Vec<Value>,
}

impl Transaction {
    fn read(&mut self, key: u64, value: &Value) {
        self.asked.push(json!(["r", key, null]));
        self.answered.push(json!(["r", key, value]));
    }

    fn write(&mut self, key: u64, value: &Value) {
        self.asked.push(json!(["w", key, value]));
        self.answered.push(json!(["w", key, value]));
    }

    /// Hands it over as an operation of its session, and begins the next.
    fn end(&mut self, line: u64, kind: Kind, builder: &mut Builder) -> Result<(), Malformed> {
        let process = Process::Client(self.session);
        for (kind, value) in [(Kind::Invoke, &mut self.asked), (kind, &mut self.answered)] {
            let mut event = Event::new(ABSENT, ABSENT, kind, process, "txn");
            event.value = Value::Array(std::mem::take(value));
            builder.event(line, event)?;
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
