//! What was broken, when it was in force, and when it was undone.

use serde::Serialize;
use serde_json::Value;

use crate::history::{Event, History, Moment, NodeId, Process};
use crate::nature::Nature;

/// One fault of a run, read from the nemesis' events.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its number within the run.
    pub id: u64,
    /// Its name, such as `halves`.
    pub name: String,
    /// What came of it.
    pub effect: Effect,
    /// Why it was not installed.
    pub reason: Option<String>,
    /// When the nemesis decided to start it.
    pub decided: Moment,
    /// When it was verified in force; `None` if it was found not to be at the end.
    pub installed: Option<Moment>,
    /// When the nemesis decided to undo it: the start of heal.
    pub heal_decided: Option<Moment>,
    /// When it was verified undone.
    pub healed: Option<Moment>,
    /// The directed pairs `(from, to)` that were cut.
    pub cut: Vec<(NodeId, NodeId)>,
    /// The components of two-way reachability; empty for a ring, a bridge or a one-way cut.
    pub sides: Vec<Vec<NodeId>>,
    /// The nodes that were hit themselves, not their links.
    pub targets: Vec<NodeId>,
    /// The directed pairs whose links were made bad.
    pub links: Vec<(NodeId, NodeId)>,
    /// How bad, in the nemesis' words, such as `delay 50ms`.
    pub quality: String,
    /// Whether clients were cut off from a node.
    pub cuts_clients: bool,
}

/// Faults that hit nodes which go on working all the while, if badly.
const LEAVE_RUNNING: [&str; 9] =
    ["cpu", "slow", "full", "read-only", "eio", "skew", "drift", "jump", "strobe"];

/// What came of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It was verified in force.
    Installed,
    /// It was not tried.
    Skipped,
    /// Nobody knows whether it was in force.
    Indeterminate,
}

/// A fault as the judgement shows it.
#[derive(Clone, Debug, Serialize)]
pub struct FaultReport {
    /// Its number within the run.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What came of it.
    pub effect: Effect,
    /// Why it was not installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it was for those who talk to each other.
    pub nature: Nature,
    /// From the decision to the verification that it was in force.
    pub decided_to_in_force_ms: Option<f64>,
    /// From there to the decision to undo it, or to the end of the history.
    pub active_ms: Option<f64>,
    /// From the decision to undo it to the verification that it was undone.
    pub heal_decided_to_verified_ms: Option<f64>,
}

impl Fault {
    /// From when to when it was certainly in force: `None` if it was not installed.
    pub fn in_force(&self, history: &History) -> Option<(Moment, Moment)> {
        let installed = self.installed?;
        Some((installed, self.heal_decided.or(self.healed).unwrap_or(history.end())))
    }

    /// From when to when it may have had any effect; `None` if it was skipped.
    pub fn felt(&self, history: &History) -> Option<(Moment, Moment)> {
        let until = self.healed.unwrap_or(history.end());
        (self.effect != Effect::Skipped).then_some((self.decided, until))
    }

    /// Whether its targets may have been dead or stopped. Of a fault that is not known that is
    /// assumed.
    pub fn takes_down(&self) -> bool {
        !LEAVE_RUNNING.contains(&self.name.as_str())
    }

    /// The figures for the judgement.
    pub fn report(&self, history: &History) -> FaultReport {
        let ms = |from: Moment, to: Moment| to.time_ns.saturating_sub(from.time_ns) as f64 / 1e6;
        FaultReport {
            id: self.id,
            name: self.name.clone(),
            effect: self.effect,
            reason: self.reason.clone(),
            nature: self.nature(history.nodes().len()),
            decided_to_in_force_ms: self.installed.map(|installed| ms(self.decided, installed)),
            active_ms: self.in_force(history).map(|(from, to)| ms(from, to)),
            heal_decided_to_verified_ms: self
                .heal_decided
                .zip(self.healed)
                .map(|(decided, healed)| ms(decided, healed)),
        }
    }
}

/// The faults of a history in the order of their start.
///
/// Events of a nemesis that numbers no faults, as in histories of other tools, say nothing here.
pub fn faults(history: &History) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for event in history.notes().iter().filter(|event| event.process == Process::Nemesis) {
        let Some(id) = event.id else { continue };
        let at = Moment { index: event.index, time_ns: event.time };
        // From the end, because a run may have thousands and is in the midst of a few.
        let known = faults.iter_mut().rev().find(|fault| fault.id == id);
        match (event.f.as_ref(), known) {
            ("start", None) => faults.push(started(history, event, id, at)),
            ("start", Some(fault)) => take_effect(fault, event, at),
            ("stop", Some(fault)) => match event.effect.as_deref() {
                None => {
                    fault.heal_decided = fault.heal_decided.or(Some(at));
                    if event.value["in_force"] == false && fault.effect == Effect::Installed {
                        fault.effect = Effect::Indeterminate;
                        fault.installed = None;
                        fault.reason = Some(format!(
                            "in force at first, but not at the end: {}",
                            event.reason.as_deref().unwrap_or("nobody knows why")
                        ));
                    }
                }
                Some("healed") => fault.healed = Some(at),
                Some(_) => {}
            },
            _ => {}
        }
    }
    faults
}

fn started(history: &History, event: &Event, id: u64, at: Moment) -> Fault {
    let node = |name: &Value| history.node_id(name.as_str()?);
    let nodes = |names: &Value| -> Vec<NodeId> { list(names).iter().filter_map(node).collect() };
    let pair = |pair: &Value| Some((node(pair.get(0)?)?, node(pair.get(1)?)?));
    let mut fault = Fault {
        id,
        name: event.fault.as_deref().unwrap_or("unnamed").to_owned(),
        effect: Effect::Indeterminate,
        reason: Some("the history does not say what came of it".to_owned()),
        decided: at,
        installed: None,
        heal_decided: None,
        healed: None,
        cut: list(&event.value["cut"]).iter().filter_map(pair).collect(),
        sides: list(&event.value["sides"]).iter().map(nodes).collect(),
        targets: nodes(&event.value["targets"]),
        links: list(&event.value["links"]).iter().filter_map(pair).collect(),
        quality: event.value["quality"].as_str().unwrap_or_default().to_owned(),
        cuts_clients: list(&event.value["cut"]).iter().any(|named| pair(named).is_none()),
    };
    take_effect(&mut fault, event, at);
    fault
}

fn take_effect(fault: &mut Fault, event: &Event, at: Moment) {
    fault.effect = match event.effect.as_deref() {
        Some("installed") => {
            fault.installed = Some(at);
            Effect::Installed
        }
        Some("skipped") => Effect::Skipped,
        Some("indeterminate") => Effect::Indeterminate,
        _ => return,
    };
    fault.reason.clone_from(&event.reason);
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
