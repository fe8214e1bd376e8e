//! Joins events to operations and refuses what no recorder can have written.

use super::event::ABSENT;
use super::independent::{split_key, split_keys_if_any};
use super::line::Line;
use super::operation::Invocation;
use super::quoted::unquote;
use super::{
    ClockWentBack, Completion, Event, Format, Header, History, KeyId, Kind, Malformed, Moment,
    NodeId, Operation, Phase, PhaseStart, Process, shown,
};
use rustc_hash::FxHashMap;

/// Takes the events of a history one by one.
#[derive(Default)]
pub(super) struct Builder {
    history: History,
    processes: FxHashMap<u64, State>,
    keys: FxHashMap<String, KeyId>,
    /// The one object of operations without a key.
    no_key: Option<KeyId>,
    nodes: FxHashMap<String, NodeId>,
    next_index: u64,
    /// Whether each value is a pair of key and value.
    independent: bool,
    /// Whether values may turn out to be pairs of key and value in the end.
    may_have_pairs: bool,
    /// Whether keys are as a file has them; see [`quoted`](super::quoted).
    quotes_keys: bool,
    /// The event whose line is asked for.
    sought_index: Option<u64>,
    found_line: Option<u64>,
}

/// Where a process stands.
#[derive(Clone, Copy)]
enum State {
    Idle,
    /// Waits for the completion of the operation at this position.
    Open(usize),
    /// Had an `info`.
    Ended,
}

impl Builder {
    /// For a file of the given format.
    pub(super) fn new(format: Format, independent: bool) -> Builder {
        let may_have_pairs = !independent && matches!(format, Format::Edn | Format::Json);
        Builder { independent, may_have_pairs, quotes_keys: true, ..Builder::default() }
    }

    pub(super) fn header(&mut self, header: Header) {
        for node in &header.nodes {
            self.node(node);
        }
        self.history.header = Some(header);
    }

    pub(super) fn truncated(&mut self, line: u64) {
        self.history.truncated_line = Some(line);
    }

    /// From here on somebody looks for the line of the event of an index.
    pub(super) fn seek(&mut self, index: u64) {
        self.sought_index = Some(index);
    }

    /// The line of that event.
    pub(super) fn found_line(&self) -> Option<u64> {
        self.found_line
    }

    /// From here on each value is a pair of key and value.
    pub(super) fn independent(&mut self) {
        self.independent = true;
    }

    pub(super) fn finish(mut self) -> History {
        if self.may_have_pairs && !self.independent {
            split_keys_if_any(&mut self.history);
        }
        if self.quotes_keys {
            unquote(&mut self.history.keys);
        }
        self.history
    }

    /// Whether the file had nothing: no operation, no note, and no header of its own.
    pub(super) fn is_empty(&self) -> bool {
        let History { header, operations, notes, .. } = &self.history;
        let has_header = header.as_ref().is_some_and(|header| !header.session_order_only);
        !has_header && operations.is_empty() && notes.is_empty()
    }

    /// Adds the event of the given line.
    pub(super) fn event(&mut self, line: u64, mut event: Event) -> Result<(), Malformed> {
        if let Process::Client(process) = event.process {
            return self.client(line, &mut Line::of_event(process, &mut event));
        }
        let at = self.moment(line, event.index, event.time)?;
        (event.index, event.time) = (at.index, at.time_ns);
        self.note(at, event).map_err(|(expected, found)| Malformed::new(line, expected, found))
    }

    /// Adds the event of a client on the line of the given number.
    pub(super) fn client(&mut self, number: u64, line: &mut Line<'_>) -> Result<(), Malformed> {
        let at = self.moment(number, line.index, line.time)?;
        if self.independent {
            split_key(number, line)?;
        }
        match line.kind {
            Kind::Invoke => self.invoke(at, line),
            _ => self.complete(at, line),
        }
        .map_err(|(expected, found)| Malformed::new(number, expected, found))
    }

    /// Where the next event stands, from what its line says of that.
    fn moment(&mut self, line: u64, index: u64, time_ns: u64) -> Result<Moment, Malformed> {
        let malformed = |expected: String, found: String| Malformed::new(line, expected, found);
        let index = match index {
            ABSENT => self.next_index,
            early if early < self.next_index => {
                let expected = format!("an index of at least {}", self.next_index);
                return Err(malformed(expected, early.to_string()));
            }
            index => index,
        };
        let last_ns = self.history.end.time_ns;
        let time_ns = match time_ns {
            ABSENT => last_ns,
            early if early < last_ns => {
                // The order of the lines counts more than their times. Jepsen takes the time before it
                // writes, so that its times turn back a little here and there.
                let back = &mut self.history.clock_went_back;
                back.get_or_insert(ClockWentBack { line, times: 0, by_ns: 0 }).add(last_ns - early);
                last_ns
            }
            time_ns => time_ns,
        };
        if self.sought_index == Some(index) {
            self.found_line = Some(line);
        }
        self.next_index = index.saturating_add(1);
        self.history.end = Moment { index, time_ns };
        Ok(self.history.end)
    }

    fn invoke(&mut self, at: Moment, line: &mut Line<'_>) -> Result<(), (String, String)> {
        let process = line.process;
        let open = State::Open(self.history.operations.len());
        match self.processes.insert(process, open) {
            None | Some(State::Idle) => {}
            Some(State::Open(open)) => {
                let open = &self.history.operations[open];
                return Err((
                    format!(
                        "the completion of process {process}'s {} (event {}) before its next \
                         invocation",
                        open.f(),
                        open.invoked.index
                    ),
                    format!("the invocation of a {}", line.f),
                ));
            }
            Some(State::Ended) => {
                return Err((
                    format!("no more events of process {process}, which ended with an info"),
                    format!("the invocation of a {}", line.f),
                ));
            }
        }
        if line.client == Some(u32::MAX) {
            return Err((format!("a client below {}", u32::MAX), u32::MAX.to_string()));
        }
        if line.f == "cas" && line.value.as_array().is_none_or(|pair| pair.len() != 2) {
            return Err(("[old, new] as the value of a cas".into(), shown(&line.value)));
        }
        let key = self.key(line.key.as_deref());
        let node = line.node.map(|node| self.node(node));
        self.history.operations.push(Operation::invoked(Invocation {
            at,
            process,
            client: line.client,
            f: line.f,
            key,
            node,
            argument: std::mem::take(&mut line.value),
            due_ns: line.due,
            probe: line.probe,
            phase: self.history.phases.last().map(|start| start.phase),
        }));
        Ok(())
    }

    fn complete(&mut self, at: Moment, line: &mut Line<'_>) -> Result<(), (String, String)> {
        let process = line.process;
        let state = self.processes.entry(process).or_insert(State::Idle);
        let State::Open(open) = *state else {
            return Err((
                format!("an invocation of process {process} before its completion"),
                format!("the completion of a {}", line.f),
            ));
        };
        let operation = &mut self.history.operations[open];
        if operation.f() != line.f {
            return Err((
                format!("the completion of process {process}'s {}", operation.f()),
                format!("the completion of a {}", line.f),
            ));
        }
        let key = self.history.keys[operation.key.0 as usize].as_deref();
        if let Some(found) = line.key.as_deref()
            && key != Some(found)
        {
            let key = key.unwrap_or("none");
            return Err((
                format!("key {key}, that of process {process}'s invocation"),
                format!("key {found}"),
            ));
        }
        let completion;
        (completion, *state) = match line.kind {
            Kind::Ok => (Completion::Ok, State::Idle),
            Kind::Fail => (Completion::Fail, State::Idle),
            Kind::Info | Kind::Invoke => (Completion::Info, State::Ended),
        };
        let result = std::mem::take(&mut line.value);
        operation.complete(at, completion, result, line.version, line.error.take());
        Ok(())
    }

    fn note(&mut self, at: Moment, event: Event) -> Result<(), (String, String)> {
        if event.kind != Kind::Info {
            return Err((
                format!("an info, the only type of event of the {}", event.process),
                format!("{:?}", event.kind).to_lowercase(),
            ));
        }
        if event.process == Process::Harness && event.f == "phase" {
            let phase = serde_json::from_value::<Phase>(event.value.clone())
                .map_err(|_| ("the name of a phase".to_owned(), shown(&event.value)))?;
            self.history.phases.push(PhaseStart { phase, at });
        }
        self.history.notes.push(event);
        Ok(())
    }

    fn key(&mut self, key: Option<&str>) -> KeyId {
        let known = match key {
            Some(key) => self.keys.get(key).copied(),
            None => self.no_key,
        };
        known.unwrap_or_else(|| {
            let id = KeyId(self.history.keys.len() as u32);
            self.history.keys.push(key.map(str::to_owned));
            match key {
                Some(key) => {
                    self.keys.insert(key.to_owned(), id);
                }
                None => self.no_key = Some(id),
            }
            id
        })
    }

    fn node(&mut self, node: &str) -> NodeId {
        if let Some(id) = self.nodes.get(node) {
            return *id;
        }
        let id = NodeId(self.history.nodes.len() as u32);
        self.history.nodes.push(node.to_owned());
        self.nodes.insert(node.to_owned(), id);
        id
    }
}
