//! How many of the operations that were due got an answer in time.
//!
//! Availability is that of Gilbert and Lynch (2002): a request to a node that has not failed is
//! answered. It is not uptime.

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
use crate::history::{History, NodeId, Operation, Process};

/// Operations that were shed are recorded for a second at a time: the one that begins at the
/// event's `due`, or where that is missing the one that ends with the event.
const SHED_PERIOD_NS: u64 = 1_000_000_000;

/// The deadline where a history has no header to name one.
const DEFAULT_DEADLINE_MS: u64 = 1_000;

/// How well a side does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// 90 % or more are answered in time.
    Serves,
    /// 10 % or less are.
    Refuses,
    /// Anything between.
    Partial,
}

/// Operations of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub answered: u64,
    pub due: u64,
}

impl Share {
    /// The part that was answered in time, from 0 to 1; `None` if nothing was due.
    pub fn success(self) -> Option<f64> {
        (self.due > 0).then(|| self.answered as f64 / self.due as f64)
    }

    /// `None` if nothing was due.
    pub fn service(self) -> Option<Service> {
        if self.due == 0 {
            None
        } else if self.answered * 10 >= self.due * 9 {
            Some(Service::Serves)
        } else if self.answered * 10 <= self.due {
            Some(Service::Refuses)
        } else {
            Some(Service::Partial)
        }
    }
}

/// Reads and everything else apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shares {
    pub reads: Share,
    pub writes: Share,
}

impl Shares {
    /// All operations that were due.
    pub fn due(self) -> u64 {
        self.reads.due + self.writes.due
    }

    fn of_kind(&mut self, is_read: bool) -> &mut Share {
        if is_read { &mut self.reads } else { &mut self.writes }
    }
}

/// Counts answers for any set of nodes and any time.
pub(crate) struct Availability<'h> {
    history: &'h History,
    deadline_ns: u64,
    down: Vec<Span>,
    shed: Vec<Shed>,
}

/// When a node may have been down.
struct Span {
    node: NodeId,
    from_ns: u64,
    until_ns: u64,
}

/// Operations that were due in the second before a moment and had no free client.
struct Shed {
    node: NodeId,
    is_read: bool,
    count: u64,
    from_ns: u64,
    until_ns: u64,
}

impl<'h> Availability<'h> {
    pub fn new(history: &'h History, faults: &[Fault]) -> Availability<'h> {
        let deadline_ms = history.header().map_or(DEFAULT_DEADLINE_MS, |h| h.deadline_ms);
        let down = faults.iter().flat_map(|fault| {
            let felt = fault.felt(history);
            let span = move |node: &NodeId| {
                let (from, until) = felt?;
                Some(Span { node: *node, from_ns: from.time_ns, until_ns: until.time_ns })
            };
            fault.targets.iter().filter_map(span)
        });
        Availability {
            history,
            deadline_ns: deadline_ms.saturating_mul(1_000_000),
            down: down.collect(),
            shed: shed(history),
        }
    }

    /// Counts the operations on the given nodes that were due at `from_ns` or later and whose
    /// deadline ended by `until_ns`. Those of a node that was killed or paused at any moment
    /// between are left out; shed ones were due and got no answer.
    pub fn count(&self, nodes: &[NodeId], from_ns: u64, until_ns: u64) -> Shares {
        let mut shares = Shares::default();
        for operation in self.history.operations() {
            let Some(node) = operation.node().filter(|node| nodes.contains(node)) else { continue };
            let due_ns = operation.due_ns;
            let deadline_ns = due_ns.saturating_add(self.deadline_ns);
            if due_ns < from_ns || deadline_ns > until_ns || self.is_down(node, due_ns, deadline_ns)
            {
                continue;
            }
            let share = shares.of_kind(operation.is_read());
            share.due += 1;
            share.answered += u64::from(answered_by(operation, deadline_ns));
        }
        let until_due_ns = until_ns.saturating_sub(self.deadline_ns);
        for shed in self.shed.iter().filter(|shed| nodes.contains(&shed.node)) {
            if self.is_down(shed.node, shed.from_ns, shed.until_ns) {
                continue;
            }
            let overlap_ns =
                shed.until_ns.min(until_due_ns).saturating_sub(shed.from_ns.max(from_ns));
            let part = overlap_ns as f64 / SHED_PERIOD_NS as f64;
            shares.of_kind(shed.is_read).due += (shed.count as f64 * part).round() as u64;
        }
        shares
    }

    fn is_down(&self, node: NodeId, from_ns: u64, until_ns: u64) -> bool {
        let overlaps = |down: &Span| down.from_ns <= until_ns && from_ns < down.until_ns;
        self.down.iter().any(|down| down.node == node && overlaps(down))
    }
}

fn answered_by(operation: &Operation, deadline_ns: u64) -> bool {
    operation.is_answered() && operation.completed().is_some_and(|at| at.time_ns <= deadline_ns)
}

fn shed(history: &History) -> Vec<Shed> {
    let mut shed = Vec::new();
    let events = history.notes().iter();
    for event in events.filter(|event| event.process == Process::Harness && event.f == "shed") {
        for (node, counts) in event.value.as_object().into_iter().flatten() {
            let Some(node) = history.node_id(node) else { continue };
            for (f, count) in counts.as_object().into_iter().flatten() {
                let from_ns = event.due.unwrap_or(event.time.saturating_sub(SHED_PERIOD_NS));
                shed.push(Shed {
                    node,
                    is_read: Operation::reads(f),
                    count: count.as_u64().unwrap_or(0),
                    from_ns,
                    until_ns: from_ns.saturating_add(SHED_PERIOD_NS),
                });
            }
        }
    }
    shed
}
