//! Writes a history, so that other programs can give a second opinion.

use std::io::{self, Write};
use std::str::FromStr;

use super::format::UnknownFormat;
use super::{Completion, Event, History, Kind, Malformed, Moment, Operation, Process};
use super::{edn, sessions};

/// How a history can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Our own JSON lines.
    Jsonl,
    /// Jepsen's `history.edn`: a map for each event, with values `[k v]` where there are keys.
    Edn,
    /// The text of Plume and PolySI, for transactions on registers; times are lost.
    Plume,
    /// The binary notation of dbcop, for the same.
    Dbcop,
}

impl Notation {
    /// Every notation.
    pub const ALL: [Notation; 4] =
        [Notation::Jsonl, Notation::Edn, Notation::Plume, Notation::Dbcop];

    /// Whether it has a place for the order of time.
    pub fn has_real_time(self) -> bool {
        matches!(self, Notation::Jsonl | Notation::Edn)
    }

    /// The notation's name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Notation::Jsonl => "jsonl",
            Notation::Edn => "edn",
            Notation::Plume => "plume",
            Notation::Dbcop => "dbcop",
        }
    }
}

impl FromStr for Notation {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Notation, UnknownFormat> {
        Notation::ALL
            .into_iter()
            .find(|notation| notation.name() == name)
            .ok_or_else(|| UnknownFormat(Notation::ALL.map(Notation::name).join(", ")))
    }
}

impl History {
    /// The events in order, as [`History::from_events`] takes them.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        /// Where an event comes from, by its position in the history's lists.
        #[derive(Clone, Copy)]
        enum Source {
            Invoked(usize),
            Completed(usize),
            Noted(usize),
        }
        let mut order = Vec::with_capacity(2 * self.operations.len() + self.notes.len());
        for (at, operation) in self.operations.iter().enumerate() {
            order.push((operation.invoked.index, Source::Invoked(at)));
            let completed = operation.completed().map(|end| (end.index, Source::Completed(at)));
            order.extend(completed);
        }
        order.extend(self.notes.iter().enumerate().map(|(at, n)| (n.index, Source::Noted(at))));
        order.sort_by_key(|(index, _)| *index);
        order.into_iter().map(|(_, source)| match source {
            Source::Invoked(at) => self.invocation(&self.operations[at]),
            Source::Completed(at) => self.completion(&self.operations[at]),
            Source::Noted(at) => self.notes[at].clone(),
        })
    }

    fn event(&self, operation: &Operation, at: Moment, kind: Kind) -> Event {
        let process = Process::Client(operation.process);
        Event {
            key: self[operation.key].clone(),
            ..Event::new(at.index, at.time_ns, kind, process, operation.symbol())
        }
    }

    fn invocation(&self, operation: &Operation) -> Event {
        Event {
            value: operation.argument().into(),
            client: operation.client(),
            node: operation.node().map(|node| self[node].clone().into()),
            due: Some(operation.due_ns).filter(|due_ns| *due_ns != operation.invoked.time_ns),
            probe: operation.probe(),
            ..self.event(operation, operation.invoked, Kind::Invoke)
        }
    }

    fn completion(&self, operation: &Operation) -> Event {
        let kind = match operation.completion() {
            Completion::Ok => Kind::Ok,
            Completion::Fail => Kind::Fail,
            Completion::Info => Kind::Info,
        };
        Event {
            value: operation.result().into(),
            version: operation.version(),
            error: operation.error().cloned(),
            ..self.event(operation, operation.completed().unwrap_or_default(), kind)
        }
    }

    /// Whether a notation has a place for these operations.
    ///
    /// # Errors
    /// What it has no place for.
    pub fn fits(&self, notation: Notation) -> Result<(), Malformed> {
        match notation {
            Notation::Jsonl | Notation::Edn => Ok(()),
            Notation::Plume | Notation::Dbcop => sessions::fits(self),
        }
    }

    /// Writes the whole history. What is read from it again is the same history, but for what the notations
    /// of transactions have no place for: times, names of keys and values that are no numbers, and operations
    /// that may have happened and of which nobody read.
    pub fn write(&self, notation: Notation, mut out: impl Write) -> io::Result<()> {
        match notation {
            Notation::Jsonl => self.write_jsonl(&mut out)?,
            Notation::Edn => edn::write(self, &mut out)?,
            Notation::Plume => sessions::write_plume(self, &mut out)?,
            Notation::Dbcop => sessions::write_dbcop(self, &mut out)?,
        }
        out.flush()
    }

    fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(header) = &self.header {
            serde_json::to_writer(&mut *out, header)?;
            writeln!(out)?;
        }
        for event in self.events() {
            serde_json::to_writer(&mut *out, &event)?;
            writeln!(out)?;
        }
        Ok(())
    }
}
