//! One line of a client on its way from a reader to the builder. It borrows its names, so that an
//! ordinary line is taken in without an allocation.

use std::borrow::Cow;

use super::{Datum, Event, EventError, Kind};

/// An [`Event`] of a client.
pub(super) struct Line<'a> {
    /// [`ABSENT`](super::event::ABSENT) if the line has none.
    pub index: u64,
    /// [`ABSENT`](super::event::ABSENT) if the line has none.
    pub time: u64,
    pub kind: Kind,
    pub process: u64,
    pub f: &'a str,
    pub key: Option<Cow<'a, str>>,
    pub value: Datum,
    pub version: Option<u64>,
    pub client: Option<u32>,
    pub node: Option<&'a str>,
    pub due: Option<u64>,
    pub probe: bool,
    pub error: Option<Box<EventError>>,
}

impl<'a> Line<'a> {
    /// The event of a client, whose value and error are taken out of it.
    pub fn of_event(process: u64, event: &'a mut Event) -> Line<'a> {
        Line {
            index: event.index,
            time: event.time,
            kind: event.kind,
            process,
            f: &event.f,
            key: event.key.as_deref().map(Cow::Borrowed),
            value: event.value.take().into(),
            version: event.version,
            client: event.client,
            node: event.node.as_deref(),
            due: event.due,
            probe: event.probe,
            error: event.error.take().map(Box::new),
        }
    }
}

/// The kind that a name stands for.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "invoke" => Kind::Invoke,
        "ok" => Kind::Ok,
        "fail" => Kind::Fail,
        "info" => Kind::Info,
        _ => return None,
    })
}
