//! Joins events to operations and refuses what no recorder can have written.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::event::ABSENT;
use super::jepsen::split_key;
use super::read::Malformed;
use super::{
    Completion, Event, Format, Header, History, KeyId, Kind, Moment, NodeId, Operation, Phase,
    PhaseStart, Process,
};

/// Takes the events of a history one by one.
#[derive(Default)]
pub(super) struct Builder {
    history: History,
    processes: FxHashMap<u64, State>,
    keys: FxHashMap<Option<String>, KeyId>,
    nodes: FxHashMap<Cow<'static, str>, NodeId>,
    next_index: u64,
    /// Whether each value is a pair of key and value.
    independent: bool,
    /// Whether the order of the lines counts more than their times.
    times_may_turn_back: bool,
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
        // Jepsen takes the time before it writes, so its times turn back a little here and there.
        let times_may_turn_back = format != Format::Jsonl;
        Builder { independent, times_may_turn_back, ..Builder::default() }
    }

    pub(super) fn header(&mut self, header: Header) {
        for node in &header.nodes {
            self.node(Cow::Owned(node.clone()));
        }
        self.history.header = Some(header);
    }

    pub(super) fn truncated(&mut self, line: u64) {
        self.history.truncated_line = Some(line);
    }

    pub(super) fn finish(self) -> History {
        self.history
    }

    /// Adds the event of the given line.
    pub(super) fn event(&mut self, line: u64, mut event: Event) -> Result<(), Malformed> {
        let malformed = |expected: String, found: String| Malformed { line, expected, found };
        if event.index == ABSENT {
            event.index = self.next_index;
        } else if event.index < self.next_index {
            let expected = format!("an index of at least {}", self.next_index);
            return Err(malformed(expected, event.index.to_string()));
        }
        let last_ns = self.history.end.time_ns;
        if event.time == ABSENT || (self.times_may_turn_back && event.time < last_ns) {
            event.time = last_ns;
        } else if event.time < last_ns {
            let expected = format!("a time of at least {last_ns} ns, that of the event before");
            return Err(malformed(expected, format!("{} ns", event.time)));
        }
        self.next_index = event.index.saturating_add(1);
        let at = Moment { index: event.index, time_ns: event.time };
        self.history.end = at;
        if self.independent && matches!(event.process, Process::Client(_)) {
            split_key(line, &mut event)?;
        }
        match event.process {
            Process::Client(process) => match event.kind {
                Kind::Invoke => self.invoke(process, at, event),
                _ => self.complete(process, at, event),
            },
            Process::Nemesis | Process::Harness => self.note(at, event),
        }
        .map_err(|(expected, found)| malformed(expected, found))
    }

    fn invoke(&mut self, process: u64, at: Moment, event: Event) -> Result<(), (String, String)> {
        match self.processes.get(&process) {
            None | Some(State::Idle) => {}
            Some(State::Open(open)) => {
                let open = &self.history.operations[*open];
                return Err((
                    format!(
                        "the completion of process {process}'s {} (event {}) before its next \
                         invocation",
                        open.f, open.invoked.index
                    ),
                    format!("the invocation of a {}", event.f),
                ));
            }
            Some(State::Ended) => {
                return Err((
                    format!("no more events of process {process}, which ended with an info"),
                    format!("the invocation of a {}", event.f),
                ));
            }
        }
        if event.f == "cas" && event.value.as_array().is_none_or(|pair| pair.len() != 2) {
            return Err(("[old, new] as the value of a cas".into(), event.value.to_string()));
        }
        let key = self.key(event.key);
        let node = event.node.map(|node| self.node(node));
        self.processes.insert(process, State::Open(self.history.operations.len()));
        self.history.operations.push(Operation {
            process,
            client: event.client,
            f: event.f,
            key,
            node,
            argument: event.value,
            result: Value::Null,
            version: None,
            invoked: at,
            completed: None,
            completion: Completion::Info,
            error: None,
            due_ns: event.due.unwrap_or(at.time_ns),
            phase: self.history.phases.last().map(|start| start.phase),
        });
        Ok(())
    }

    fn complete(&mut self, process: u64, at: Moment, event: Event) -> Result<(), (String, String)> {
        let Some(State::Open(open)) = self.processes.get(&process).copied() else {
            return Err((
                format!("an invocation of process {process} before its completion"),
                format!("the completion of a {}", event.f),
            ));
        };
        let operation = &mut self.history.operations[open];
        if operation.f != event.f {
            return Err((
                format!("the completion of process {process}'s {}", operation.f),
                format!("the completion of a {}", event.f),
            ));
        }
        if event.key.is_some() && self.history.keys[operation.key.0 as usize] != event.key {
            let key = self.history.keys[operation.key.0 as usize].as_deref().unwrap_or("none");
            let found = event.key.unwrap_or_default();
            return Err((
                format!("key {key}, that of process {process}'s invocation"),
                format!("key {found}"),
            ));
        }
        operation.completed = Some(at);
        operation.result = event.value;
        operation.version = event.version;
        operation.error = event.error;
        let (completion, state) = match event.kind {
            Kind::Ok => (Completion::Ok, State::Idle),
            Kind::Fail => (Completion::Fail, State::Idle),
            Kind::Info | Kind::Invoke => (Completion::Info, State::Ended),
        };
        operation.completion = completion;
        self.processes.insert(process, state);
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
                .map_err(|_| ("the name of a phase".to_owned(), event.value.to_string()))?;
            self.history.phases.push(PhaseStart { phase, at });
        }
        self.history.notes.push(event);
        Ok(())
    }

    fn key(&mut self, key: Option<String>) -> KeyId {
        if let Some(id) = self.keys.get(&key) {
            return *id;
        }
        let id = KeyId(self.history.keys.len() as u32);
        self.history.keys.push(key.clone());
        self.keys.insert(key, id);
        id
    }

    fn node(&mut self, node: Cow<'static, str>) -> NodeId {
        if let Some(id) = self.nodes.get(&node) {
            return *id;
        }
        let id = NodeId(self.history.nodes.len() as u32);
        self.history.nodes.push(node.clone().into_owned());
        self.nodes.insert(node, id);
        id
    }
}
