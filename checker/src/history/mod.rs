//! The history: the only product of a run and the only input of a check.

mod blocks;
mod build;
mod bytes;
mod clock;
mod datum;
mod edn;
mod etcd;
mod event;
mod format;
mod function;
mod independent;
mod jepsen;
mod json;
mod jsonl;
mod line;
mod lines;
mod malformed;
mod operation;
mod phase;
mod quoted;
mod read;
mod scan;
mod sessions;
pub mod steps;
mod strict;
mod words;
mod write;

use std::ops::Index;

pub use clock::ClockWentBack;
pub use datum::Datum;
pub use event::{ErrorKind, Event, EventError, Header, Kind, Process, SCHEMA_VERSION, Symbol};
pub use format::{Format, UnknownFormat};
pub(crate) use jsonl::header_of;
pub use malformed::Malformed;
pub(crate) use malformed::{shown, shown_bytes};
pub use operation::{Completion, KeyId, Moment, NodeId, Operation};
pub use phase::{Phase, PhaseStart};
pub(crate) use quoted::unquoted;
pub(crate) use read::BYTE_ORDER_MARK;
pub use read::{ReadError, ReadOptions};
pub(crate) use strict::exact;
pub use strict::parse_value;
pub use write::Notation;

/// A recorded history that is known to be well-formed: every completion belongs to the one open
/// invocation of its process, no process goes on after an `info`, and time does not run backwards: where it
/// does in a file, an event has the time of the one before ([`History::clock_went_back`]).
///
/// There is no other way to get one than [`History::open`], [`History::read`] and
/// [`History::from_events`], so no check has to look for malformed input.
#[derive(Clone, Debug, Default)]
pub struct History {
    header: Option<Header>,
    operations: Vec<Operation>,
    notes: Vec<Event>,
    phases: Vec<PhaseStart>,
    keys: Vec<Option<String>>,
    nodes: Vec<String>,
    end: Moment,
    truncated_line: Option<u64>,
    clock_went_back: Option<ClockWentBack>,
}

impl History {
    /// The header line, where the file has one.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The operations of the clients in the order of their invocations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What the nemesis and the harness noted, in order.
    pub fn notes(&self) -> &[Event] {
        &self.notes
    }

    /// The phases in the order in which they began.
    pub fn phases(&self) -> &[PhaseStart] {
        &self.phases
    }

    /// When a phase began for the first time.
    pub fn start_of(&self, phase: Phase) -> Option<Moment> {
        self.phases.iter().find(|start| start.phase == phase).map(|start| start.at)
    }

    /// The keys that were used, by [`KeyId`]; `None` is the one object of a history without keys.
    pub fn keys(&self) -> &[Option<String>] {
        &self.keys
    }

    /// The nodes by [`NodeId`]: those of the header first, then others in order of appearance.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The id of a node by its name.
    pub fn node_id(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node == name).map(|at| NodeId(at as u32))
    }

    /// Whether the order of events says what really came first. It does not where a file only says
    /// in which order each session did what it did: of two processes' operations either may have
    /// been the first then, whatever their indices are.
    pub fn has_real_time(&self) -> bool {
        !self.header.as_ref().is_some_and(|header| header.session_order_only)
    }

    /// The last event; zero for an empty history.
    pub fn end(&self) -> Moment {
        self.end
    }

    /// Whether events had earlier times than the event before them.
    pub fn clock_went_back(&self) -> Option<&ClockWentBack> {
        self.clock_went_back.as_ref()
    }

    /// The number of the last line if it was cut off in the middle (the recorder was killed while
    /// it wrote); that line is left out.
    pub fn truncated_line(&self) -> Option<u64> {
        self.truncated_line
    }
}

impl Index<KeyId> for History {
    type Output = Option<String>;

    fn index(&self, key: KeyId) -> &Option<String> {
        &self.keys[key.0 as usize]
    }
}

impl Index<NodeId> for History {
    type Output = String;

    fn index(&self, node: NodeId) -> &String {
        &self.nodes[node.0 as usize]
    }
}
