//! The phases of a run and the times of its faults, and of each which nodes are looked at together.

use serde::Serialize;

use super::measured::{Divergence, Staleness, Traffic};
use super::scopes::Scope;
use super::tally::deadline_ns;
use crate::faults::Fault;
use crate::history::{History, NodeId, Phase};
use crate::nature::Nature;
use crate::roles::Roles;

/// More faults than this are not profiled one by one.
const FAULTS_MOST: usize = 200;

/// A phase, or the time in which a fault was in force.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    /// `baseline`, `main`, `after` or `fault`.
    pub name: &'static str,
    /// The number of the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
    /// The name of the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_name: Option<String>,
    /// What the fault was for those who talk to each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nature: Option<Nature>,
    /// When it began, in seconds.
    pub from_s: f64,
    /// How long it lasted.
    pub seconds: f64,
    /// All nodes together, each side of a total partition, or each node where a fault makes no sides.
    pub sides: Vec<SideProfile>,
    /// Over all nodes. Of registers only.
    pub divergence: Option<Divergence>,
}

/// What was measured on some nodes of a stretch.
#[derive(Clone, Debug, Serialize)]
pub struct SideProfile {
    /// The nodes.
    pub nodes: Vec<String>,
    /// Whether they are more than half of all.
    pub majority: bool,
    /// Whether who led when it began was among them.
    pub leader: bool,
    /// Requests, answers and their times. Of a fault those count that were due while it was in force
    /// and whose deadline ended before it was undone.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// Of registers only.
    pub staleness: Option<Staleness>,
    /// Among these nodes. Of registers only.
    pub divergence: Option<Divergence>,
}

/// A stretch before anything is measured.
pub(crate) struct Plan {
    pub name: &'static str,
    /// The position of the fault.
    pub fault: Option<usize>,
    pub from_ns: u64,
    pub end_ns: u64,
    /// The last event before it, for who led.
    pub index: u64,
    pub sides: Vec<Vec<NodeId>>,
    pub scopes: Vec<Scope>,
}

/// All stretches of a history, and how many faults were left out.
pub(crate) fn plans(history: &History, faults: &[Fault]) -> (Vec<Plan>, usize) {
    let deadline_ns = deadline_ns(history);
    let nodes = history.nodes().len();
    let all: Vec<NodeId> = (0..nodes).map(|node| NodeId(node as u32)).collect();
    let mut plans = Vec::new();
    for (phase, name) in
        [(Phase::Baseline, "baseline"), (Phase::Main, "main"), (Phase::After, "after")]
    {
        let mut starts = history.phases().iter().skip_while(|start| start.phase != phase);
        let Some(start) = starts.next() else { continue };
        let end_ns = starts.next().map_or(history.end().time_ns, |next| next.at.time_ns);
        let from_ns = start.at.time_ns;
        let scopes = vec![Scope { nodes: None, from_ns, until_ns: end_ns }];
        let (index, sides) = (start.at.index, vec![all.clone()]);
        plans.push(Plan { name, fault: None, from_ns, end_ns, index, sides, scopes });
    }
    let in_force = |(at, fault): (usize, &Fault)| {
        let (from, until) = fault.in_force(history)?;
        Some((at, fault.islands(nodes), from, until))
    };
    let mut faults = faults.iter().enumerate().filter_map(in_force);
    for (at, islands, from, until) in faults.by_ref().take(FAULTS_MOST) {
        let sides = match islands.len() {
            0 | 1 => all.iter().map(|node| vec![*node]).collect(),
            _ => islands,
        };
        let (from_ns, end_ns) = (from.time_ns, until.time_ns);
        let scope = |side: &Vec<NodeId>| {
            Scope::with_deadline(Some(side.clone()), from_ns, end_ns, deadline_ns)
        };
        let (scopes, index) = (sides.iter().map(scope).collect(), from.index);
        let name = "fault";
        plans.push(Plan { name, fault: Some(at), from_ns, end_ns, index, sides, scopes });
    }
    (plans, faults.count())
}

impl Plan {
    /// The stretch, with what was measured of each side.
    pub fn stretch(
        &self,
        history: &History,
        faults: &[Fault],
        roles: &Roles,
        measured: Vec<(Traffic, Option<Staleness>, Option<Divergence>)>,
        divergence: Option<Divergence>,
    ) -> Stretch {
        let leaders = roles.leaders_before(self.index);
        let fault = self.fault.map(|at| &faults[at]);
        let sides = self.sides.iter().zip(measured);
        let side = |(nodes, (traffic, staleness, divergence)): (&Vec<NodeId>, _)| SideProfile {
            nodes: nodes.iter().map(|node| history[*node].clone()).collect(),
            majority: nodes.len() * 2 > history.nodes().len(),
            leader: leaders.iter().any(|leader| nodes.contains(leader)),
            traffic,
            staleness,
            divergence,
        };
        Stretch {
            name: self.name,
            fault: fault.map(|fault| fault.id),
            fault_name: fault.map(|fault| fault.name.clone()),
            nature: fault.map(|fault| fault.nature(history.nodes().len())),
            from_s: self.from_ns as f64 / 1e9,
            seconds: self.end_ns.saturating_sub(self.from_ns) as f64 / 1e9,
            sides: sides.map(side).collect(),
            divergence,
        }
    }
}
