//! The columns of the table: no partition, both sides of one, and healed.

use serde::Serialize;

use super::Measures;
use super::measured::{Divergence, Staleness, Traffic};
use super::scopes::Scope;
use super::tally::{Service, Tally, deadline_ns};
use crate::cap::halves;
use crate::faults::{Effect, Fault};
use crate::history::{History, NodeId, Phase};

/// What was measured in one situation.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// `no partition`, `partitioned: this side`, `partitioned: that side` or `healed`.
    pub name: &'static str,
    /// What was looked at, in words.
    pub about: &'static str,
    /// Why there is nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The nodes, where there are sides; of the first partition if there were several.
    pub nodes: Vec<String>,
    /// Whether they were more than half of all, each time.
    pub majority: bool,
    /// How much time was looked at.
    pub seconds: f64,
    /// Requests, answers and their times.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// How well reads were served.
    pub reads: Option<Service>,
    /// How well everything else was.
    pub writes: Option<Service>,
    /// Of registers only.
    pub staleness: Option<Staleness>,
    /// Among these nodes; of a partition's side, among all nodes. Of registers only.
    pub divergence: Option<Divergence>,
}

/// A column before anything is measured.
pub(super) struct Plan {
    name: &'static str,
    about: &'static str,
    missing: &'static str,
    nodes: Vec<NodeId>,
    majority: bool,
    seconds: f64,
    pub scopes: Vec<Scope>,
    /// Where nodes are compared.
    compared: Vec<Scope>,
}

impl Plan {
    fn new(name: &'static str, about: &'static str, missing: &'static str) -> Plan {
        Plan {
            name,
            about,
            missing,
            nodes: Vec::new(),
            majority: false,
            seconds: 0.0,
            scopes: Vec::new(),
            compared: Vec::new(),
        }
    }

    fn on_all_nodes(mut self, scope: Option<Scope>) -> Plan {
        self.seconds = scope.as_ref().map_or(0.0, Scope::seconds);
        self.compared.extend(scope.clone());
        self.scopes.extend(scope);
        self
    }

    pub fn column(&self, history: &History, measures: &Measures<'_>, at: &[usize]) -> Column {
        let tally: Tally = measures.tally(at);
        let compared: Vec<&Scope> = self.compared.iter().collect();
        let missing = tally.all().due == 0;
        Column {
            name: self.name,
            about: self.about,
            reason: missing.then_some(self.missing),
            nodes: self.nodes.iter().map(|node| history[*node].clone()).collect(),
            majority: self.majority,
            seconds: self.seconds,
            traffic: Traffic::of(&tally, self.seconds),
            reads: tally.reads.service(),
            writes: tally.writes.service(),
            staleness: measures.staleness(at).filter(|staleness| staleness.reads > 0),
            divergence: measures.divergence(&compared),
        }
    }
}

/// The four columns.
pub(super) fn plans(history: &History, faults: &[Fault]) -> Vec<Plan> {
    let tried = || faults.iter().filter(|fault| fault.effect != Effect::Skipped);
    let first_ns = history.operations().iter().map(|operation| operation.due_ns).min();
    let first_fault_ns = tried().map(|fault| fault.decided.time_ns).min();
    let deadline_ns = deadline_ns(history);
    let before = first_ns.map(|from_ns| match first_fault_ns {
        Some(fault_ns) => Scope::with_deadline(None, from_ns, fault_ns, deadline_ns),
        None => Scope { nodes: None, from_ns, until_ns: load_end_ns(history) },
    });
    let [this, that] = sides(history, faults);
    vec![
        Plan::new(
            "no partition",
            "before the first fault",
            "no operation was due before the first fault",
        )
        .on_all_nodes(before),
        this,
        that,
        Plan::new("healed", "after the last fault", "no operation was due after the last fault")
            .on_all_nodes(after(history, faults)),
    ]
}

/// When clients stop working as they do during the faults.
fn load_end_ns(history: &History) -> u64 {
    let ends = [Phase::Heal, Phase::Quiesce, Phase::Final].into_iter();
    let ends = ends.filter_map(|phase| history.start_of(phase)).map(|at| at.time_ns);
    ends.min().unwrap_or(history.end().time_ns.saturating_add(1))
}

/// The load on fresh keys when there is one, else what came after the last fault.
fn after(history: &History, faults: &[Fault]) -> Option<Scope> {
    let mut healed = Vec::new();
    for fault in faults.iter().filter(|fault| fault.effect != Effect::Skipped) {
        healed.push(fault.healed?.time_ns);
    }
    let healed_ns = healed.into_iter().max()?;
    let (from_ns, until_ns) = match history.start_of(Phase::After) {
        Some(after) => {
            let collect = history.start_of(Phase::Collect).unwrap_or(history.end());
            (after.time_ns.max(healed_ns), collect.time_ns)
        }
        None => (healed_ns, load_end_ns(history)),
    };
    (from_ns < until_ns).then_some(Scope { nodes: None, from_ns, until_ns })
}

/// This side is the majority, or the first where there is none; that side all others.
fn sides(history: &History, faults: &[Fault]) -> [Plan; 2] {
    const NONE: &str = "no total partition was in force for long enough";
    let mut this = Plan::new(
        "partitioned: this side",
        "the majority, in the second half of each total partition",
        NONE,
    );
    let mut that = Plan::new("partitioned: that side", "the others, at the same time", NONE);
    let nodes = history.nodes().len();
    for half in halves(history, faults) {
        let is_majority = |side: &Vec<NodeId>| 2 * side.len() > nodes;
        let chosen = half.sides.iter().position(is_majority).unwrap_or(0);
        let Some(scope) = half.scopes.get(chosen).cloned() else { continue };
        let seconds = scope.seconds();
        let all = Scope { nodes: None, ..scope };
        for (at, (side, scope)) in half.sides.into_iter().zip(half.scopes).enumerate() {
            let column = if at == chosen { &mut this } else { &mut that };
            let majority = is_majority(&side);
            if column.scopes.is_empty() {
                column.nodes = side;
                column.majority = majority;
            }
            column.majority &= majority;
            column.scopes.push(scope);
        }
        for column in [&mut this, &mut that] {
            column.seconds += seconds;
            column.compared.push(all.clone());
        }
    }
    [this, that]
}
