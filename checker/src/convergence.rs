//! Whether the replicas agreed in the end.

use rustc_hash::FxHashSet;

use crate::faults::{Effect, Fault};
use crate::history::{Datum, History, KeyId, Moment, NodeId, Operation, Phase};
use crate::recording::is_recording;
use crate::verdict::Verdict;

/// What the final reads show.
pub(crate) struct Convergence<'h> {
    /// When the final reads began; 0 if there are none that could be judged.
    pub final_index: u64,
    /// One entry for each key that was used before.
    pub keys: Vec<(KeyId, Agreement<'h>)>,
    /// All keys in one. A precondition that is not met makes it unknown.
    pub verdict: Verdict,
}

/// What the final reads of one key show.
pub(crate) enum Agreement<'h> {
    /// All nodes hold this value; one of the reads that showed it.
    Agreed(&'h Operation),
    /// Two `ok` reads of the last round differ.
    Differ(&'h Operation, &'h Operation),
    /// For this reason it cannot be told.
    Unknown(String),
}

/// Compares the final reads: each key at each node, in rounds.
///
/// A round begins when a key is read again at a node that has been asked for it in the round before;
/// a node that is not asked in some round is told from one that is asked once more. Two `ok` reads
/// of a key's last round that differ settle it. Without such, a node that did not answer in the
/// last round is judged by its latest answer: if that agrees the key has converged, else nothing is
/// known.
pub(crate) fn convergence<'h>(history: &'h History, faults: &[Fault]) -> Convergence<'h> {
    let unknown = |reason: String| Convergence {
        final_index: 0,
        keys: Vec::new(),
        verdict: Verdict::Unknown { reason },
    };
    let Some(start) = history.start_of(Phase::Final) else {
        return unknown("the history has no final reads".to_owned());
    };
    if let Some(reason) = unsettled(history, faults, start) {
        return unknown(reason);
    }
    let mut reads: Vec<Vec<FinalRead>> = vec![Vec::new(); history.keys().len()];
    let mut used = vec![false; history.keys().len()];
    let mut round = 0;
    let mut asked = FxHashSet::default();
    for operation in history.operations() {
        let key = operation.key.0 as usize;
        used[key] |= operation.invoked.index < start.index;
        if operation.phase == Some(Phase::Final) && operation.is_read() {
            if !asked.insert((operation.key, operation.node())) {
                round += 1;
                asked.clear();
                asked.insert((operation.key, operation.node()));
            }
            reads[key].push(FinalRead { round, operation });
        }
    }
    let nodes = nodes_to_ask(history);
    let keys: Vec<_> = (0..history.keys().len())
        .filter(|key| used[*key])
        .map(|key| (KeyId(key as u32), agreement(history, &nodes, &reads[key])))
        .collect();
    let verdict = keys.iter().fold(Verdict::Valid, |verdict, (_, agreement)| {
        verdict.and(match agreement {
            Agreement::Agreed(_) => Verdict::Valid,
            Agreement::Differ(..) => Verdict::Invalid,
            Agreement::Unknown(reason) => Verdict::unknown(reason),
        })
    });
    Convergence { final_index: start.index, keys, verdict }
}

#[derive(Clone, Copy)]
struct FinalRead<'h> {
    round: usize,
    operation: &'h Operation,
}

/// Why the final reads began too early, or ended too early, to mean anything, if they did.
fn unsettled(history: &History, faults: &[Fault], start: Moment) -> Option<String> {
    if is_recording(history) && history.start_of(Phase::After).is_none() {
        return Some("the final reads were cut short".to_owned());
    }
    let unhealed = faults.iter().find(|fault| {
        fault.effect != Effect::Skipped && fault.healed.is_none_or(|healed| healed > start)
    });
    if let Some(fault) = unhealed {
        return Some(format!(
            "fault {} ({}) was not verified healed before the final reads",
            fault.id, fault.name
        ));
    }
    let open = history.operations().iter().find(|operation| {
        !operation.is_read()
            && match operation.phase {
                Some(Phase::Final) => true,
                _ => {
                    operation.invoked < start
                        && operation.completed().is_none_or(|completed| completed > start)
                }
            }
    })?;
    Some(format!(
        "process {}'s {} was still open when the final reads began",
        open.process,
        open.f()
    ))
}

/// Every node of the header; without a header every node that was asked anything, and where nodes
/// are not named, the one that stands for all.
fn nodes_to_ask(history: &History) -> Vec<Option<NodeId>> {
    let named = match history.header() {
        Some(header) if !header.nodes.is_empty() => header.nodes.len(),
        _ => history.nodes().len(),
    };
    match named {
        0 => vec![None],
        named => (0..named).map(|node| Some(NodeId(node as u32))).collect(),
    }
}

fn agreement<'h>(
    history: &History,
    nodes: &[Option<NodeId>],
    reads: &[FinalRead<'h>],
) -> Agreement<'h> {
    let last = reads.iter().map(|read| read.round).max();
    let last_round: Vec<&'h Operation> = reads
        .iter()
        .filter(|read| Some(read.round) == last && read.operation.is_ok())
        .map(|read| read.operation)
        .collect();
    if let Some((one, other)) = differing(&last_round) {
        return Agreement::Differ(one, other);
    }
    let mut latest = Vec::new();
    for node in nodes {
        let mut answers = reads.iter().map(|read| read.operation);
        let Some(read) = answers.rfind(|read| read.node() == *node && read.is_ok()) else {
            return Agreement::Unknown(format!(
                "{} never answered a final read",
                node.map_or("the system", |node| &history[node])
            ));
        };
        latest.push(read);
    }
    match differing(&latest) {
        None => Agreement::Agreed(latest[0]),
        Some((one, other)) => Agreement::Unknown(format!(
            "{} did not answer in the last round of final reads",
            [one, other]
                .iter()
                .find(|read| !last_round.iter().any(|last| std::ptr::eq(*last, **read)))
                .and_then(|read| read.node())
                .map_or("a node", |node| &history[node])
        )),
    }
}

fn differing<'h>(reads: &[&'h Operation]) -> Option<(&'h Operation, &'h Operation)> {
    let value = |read: &'h Operation| -> &'h Datum { read.result() };
    let first = reads.first()?;
    let other = reads.iter().find(|read| value(read) != value(first))?;
    Some((first, other))
}
