//! Writes a history, so that other programs can give a second opinion.

use std::io::{self, Write};
use std::str::FromStr;

use super::edn;
use super::format::UnknownFormat;
use super::{Completion, Event, History, Kind, Moment, Operation, Process};

/// How a history can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Our own JSON lines.
    Jsonl,
    /// Jepsen's `history.edn`: a map for each event, with values `[k v]` where there are keys.
    Edn,
}

impl Notation {
    /// Every notation.
    pub const ALL: [Notation; 2] = [Notation::Jsonl, Notation::Edn];

    /// The notation's name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Notation::Jsonl => "jsonl",
            Notation::Edn => "edn",
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

    /// Writes the whole history. What is read from it again is the same history.
    pub fn write(&self, notation: Notation, mut out: impl Write) -> io::Result<()> {
        match notation {
            Notation::Jsonl => self.write_jsonl(&mut out)?,
            Notation::Edn => edn::write(self, &mut out)?,
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
