//! The history: the only product of a run and the only input of a check.

mod event;

pub use event::{ErrorKind, Event, EventError, Header, Kind, Process, SCHEMA_VERSION, Symbol};
