//! RTO: how long after a fault clients could write again.

use serde::Serialize;

use super::loss::Loss;
use crate::faults::Fault;
use crate::history::{History, NodeId, Operation};
use crate::profile::measured::ms;
use crate::profile::tally::{Shed, deadline_ns, shed};

/// What one fault that took a primary away cost.
#[derive(Clone, Debug, Serialize)]
pub struct Recovery {
    /// The number of the fault.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Who led and was taken away.
    pub primary: Vec<String>,
    /// When it was verified in force, in seconds.
    pub at_s: f64,
    /// RTO over all clients: from then to the completion of the first acknowledged write that was
    /// due after it; 0 if no write that was due between failed. `None`: no write was acknowledged
    /// any more.
    pub rto_ms: Option<f64>,
    /// The same without that exception.
    pub first_ok_ms: Option<f64>,
    /// For the clients of each side; of those whom the fault hit and the others where it makes no
    /// sides.
    pub sides: Vec<SideRecovery>,
    /// Acknowledged writes that were lost with it.
    pub loss: Loss,
}

/// When the clients of some nodes could write again.
#[derive(Clone, Debug, Serialize)]
pub struct SideRecovery {
    /// The nodes that they ask.
    pub nodes: Vec<String>,
    /// Whether the primary was among them.
    pub primary: bool,
    /// RTO for them; see [`Recovery::rto_ms`].
    pub rto_ms: Option<f64>,
    /// The same without the exception.
    pub first_ok_ms: Option<f64>,
}

/// The writes of a history.
pub(super) struct Writes<'h> {
    /// In the order of invocation.
    all: Vec<&'h Operation>,
    shed: Vec<Shed>,
    deadline_ns: u64,
}

impl<'h> Writes<'h> {
    pub fn of(history: &'h History) -> Writes<'h> {
        Writes {
            all: history.operations().iter().filter(|operation| !operation.is_read()).collect(),
            shed: shed(history).into_iter().filter(|shed| !shed.is_read).collect(),
            deadline_ns: deadline_ns(history),
        }
    }

    /// How long after a moment a write that was due after it was first acknowledged to the clients
    /// of some nodes (all for `None`), and whether any that was due between had failed.
    fn first_ok_ns(&self, after_ns: u64, nodes: Option<&[NodeId]>) -> Option<(u64, bool)> {
        let has = |node: Option<NodeId>| {
            nodes.is_none_or(|nodes| node.is_some_and(|node| nodes.contains(&node)))
        };
        // What was due later was invoked later.
        let from = self.all.partition_point(|write| write.invoked.time_ns < after_ns);
        let due = |write: &&&Operation| write.due_ns >= after_ns && has(write.node());
        let mut first_ns = u64::MAX;
        for write in self.all[from..].iter().filter(due) {
            if write.invoked.time_ns >= first_ns {
                break;
            }
            if let Some(completed) = write.completed().filter(|_| write.is_ok()) {
                first_ns = first_ns.min(completed.time_ns);
            }
        }
        if first_ns == u64::MAX {
            return None;
        }
        let failed = |write: &Operation| {
            let deadline_ns = write.due_ns.saturating_add(self.deadline_ns);
            let in_time = write.completed().is_some_and(|at| at.time_ns <= deadline_ns);
            !(write.is_answered() && in_time)
        };
        let between = self.all[from..].iter().filter(due);
        let any_failed = between
            .take_while(|write| write.invoked.time_ns < first_ns)
            .any(|write| write.due_ns < first_ns && failed(write));
        let any_shed = self.shed.iter().any(|shed| {
            has(Some(shed.node)) && shed.from_ns >= after_ns && shed.from_ns < first_ns
        });
        Some((first_ns - after_ns, any_failed || any_shed))
    }
}

/// Measures one fault.
pub(super) fn recovery(
    history: &History,
    writes: &Writes<'_>,
    fault: &Fault,
    primaries: &[NodeId],
    loss: Loss,
) -> Option<Recovery> {
    let at = fault.installed?;
    let names = |nodes: &[NodeId]| nodes.iter().map(|node| history[*node].clone()).collect();
    let figures = |nodes: Option<&[NodeId]>| {
        let first = writes.first_ok_ns(at.time_ns, nodes);
        let rto_ms = first.map(|(first_ns, failed)| if failed { ms(first_ns) } else { 0.0 });
        (rto_ms, first.map(|(first_ns, _)| ms(first_ns)))
    };
    let side = |nodes: Vec<NodeId>| {
        let (rto_ms, first_ok_ms) = figures(Some(&nodes));
        let primary = primaries.iter().any(|primary| nodes.contains(primary));
        SideRecovery { nodes: names(&nodes), primary, rto_ms, first_ok_ms }
    };
    let mut sides = fault.islands(history.nodes().len());
    if sides.len() < 2 {
        let hit = |node: &NodeId| fault.targets.contains(node) || primaries.contains(node);
        let all = (0..history.nodes().len()).map(|node| NodeId(node as u32));
        let (hit, others): (Vec<NodeId>, Vec<NodeId>) = all.partition(hit);
        sides = [hit, others].into_iter().filter(|side| !side.is_empty()).collect();
    }
    let (rto_ms, first_ok_ms) = figures(None);
    Some(Recovery {
        id: fault.id,
        name: fault.name.clone(),
        primary: names(primaries),
        at_s: at.time_ns as f64 / 1e9,
        rto_ms,
        first_ok_ms,
        sides: sides.into_iter().map(side).collect(),
        loss,
    })
}
