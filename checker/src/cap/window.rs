//! Cut windows: the times in which no message could cross from one side to another.

use rustc_hash::FxHashSet;
use serde::Serialize;
use serde_json::Value;

use super::availability::{Availability, Service};
use crate::faults::Fault;
use crate::history::{History, NodeId, Process};

/// A shorter window is not judged.
const JUDGED_NS: u64 = 4_000_000_000;
/// The least allowance for fail-over.
const ALLOWANCE_NS: u64 = 1_000_000_000;
/// With fewer operations on a side a window is not judged.
const JUDGED_DUE: u64 = 20;

/// What happened on the sides of one cut, in the second half of its time: the first half, at least
/// 1 s, is allowance for fail-over.
#[derive(Clone, Debug, Serialize)]
pub struct CapWindow {
    /// The number of the fault that cut.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// When it was verified in force, in seconds.
    pub from_s: f64,
    /// How long it lasted, up to the start of heal.
    pub seconds: f64,
    /// Why it says nothing; absent if it is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
    /// Who led just before the cut, as far as is known.
    pub leader: Vec<String>,
    /// The sides.
    pub sides: Vec<Side>,
}

/// One side of a cut.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Whether it holds more than half of all nodes.
    pub majority: bool,
    /// Whether the leader was here.
    pub leader: bool,
    /// Operations that were due.
    pub due: u64,
    /// The part of the reads that was answered in time, from 0 to 1.
    pub read_success: Option<f64>,
    /// The same as a word.
    pub reads: Option<Service>,
    /// The part of the writes that was answered in time, from 0 to 1.
    pub write_success: Option<f64>,
    /// The same as a word.
    pub writes: Option<Service>,
}

impl Side {
    /// Whether it serves reads and writes.
    pub fn serves(&self) -> bool {
        [self.reads, self.writes] == [Some(Service::Serves); 2]
    }

    /// Whether it refuses reads and writes.
    pub fn refuses(&self) -> bool {
        [self.reads, self.writes] == [Some(Service::Refuses); 2]
    }
}

/// The cut windows of a history, judged or not.
pub(crate) fn windows(
    history: &History,
    faults: &[Fault],
    availability: &Availability<'_>,
) -> Vec<CapWindow> {
    let cuts = faults.iter().filter(|fault| is_cut(fault));
    cuts.filter_map(|fault| window(history, fault, availability)).collect()
}

/// Two or more sides, and no link between them in either direction.
fn is_cut(fault: &Fault) -> bool {
    let cut: FxHashSet<(NodeId, NodeId)> = fault.cut.iter().copied().collect();
    let sides = &fault.sides;
    let apart = |one: &[NodeId], other: &[NodeId]| {
        one.iter().all(|from| other.iter().all(|to| cut.contains(&(*from, *to))))
    };
    let all_apart = (0..sides.len())
        .all(|one| (0..sides.len()).all(|other| one == other || apart(&sides[one], &sides[other])));
    sides.len() >= 2 && all_apart
}

fn window(history: &History, fault: &Fault, availability: &Availability<'_>) -> Option<CapWindow> {
    let (installed, heal) = fault.in_force(history)?;
    let length_ns = heal.time_ns.saturating_sub(installed.time_ns);
    let judged_from_ns = installed.time_ns + (length_ns / 2).max(ALLOWANCE_NS);
    let leaders = leaders_before(history, installed.index);
    let side = |nodes: &Vec<NodeId>| {
        let shares = availability.count(nodes, judged_from_ns, heal.time_ns);
        Side {
            nodes: nodes.iter().map(|node| history[*node].clone()).collect(),
            majority: nodes.len() * 2 > history.nodes().len(),
            leader: leaders.iter().any(|leader| nodes.contains(leader)),
            due: shares.due(),
            read_success: shares.reads.success(),
            reads: shares.reads.service(),
            write_success: shares.writes.success(),
            writes: shares.writes.service(),
        }
    };
    let sides: Vec<Side> = fault.sides.iter().map(side).collect();
    let too_few = sides.iter().find(|side| side.due < JUDGED_DUE).map(|side| {
        let nodes = side.nodes.join(" ");
        format!("{} operations were due on {nodes}, and {JUDGED_DUE} are needed", side.due)
    });
    let too_short = (length_ns < JUDGED_NS).then(|| "it lasted less than 4 s".to_owned());
    Some(CapWindow {
        id: fault.id,
        name: fault.name.clone(),
        from_s: installed.time_ns as f64 / 1e9,
        seconds: length_ns as f64 / 1e9,
        not_judged: too_short.or(too_few),
        leader: leaders.iter().map(|leader| history[*leader].clone()).collect(),
        sides,
    })
}

/// Whether any node ever led.
pub(crate) fn has_leader(history: &History) -> bool {
    roles(history).any(|(_, leaders)| !leaders.is_empty())
}

fn leaders_before(history: &History, index: u64) -> Vec<NodeId> {
    let before = roles(history).take_while(|(at, _)| *at < index);
    before.last().map(|(_, leaders)| leaders).unwrap_or_default()
}

/// The index of each report on who leads, and who does.
fn roles(history: &History) -> impl Iterator<Item = (u64, Vec<NodeId>)> {
    let events = history.notes().iter();
    events.filter(|event| event.process == Process::Nemesis && event.f == "roles").map(|event| {
        let leaders = event.value["leader"].as_array().into_iter().flatten();
        let ids = leaders.filter_map(|name: &Value| history.node_id(name.as_str()?));
        (event.index, ids.collect())
    })
}
