//! Whether the replicas agreed in the end.

use serde_json::Value;

use crate::faults::{Effect, Fault};
use crate::history::{History, KeyId, Moment, NodeId, Operation, Phase};
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
/// The n-th final read of a key at a node belongs to round n. Two `ok` reads of a key's last round
/// that differ settle it. Without such, a node that did not answer in the last round is judged by
/// its latest answer: if that agrees the key has converged, else nothing is known.
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
    let mut reads: Vec<Vec<&Operation>> = vec![Vec::new(); history.keys().len()];
    let mut used = vec![false; history.keys().len()];
    for operation in history.operations() {
        let key = operation.key.0 as usize;
        used[key] |= operation.invoked.index < start.index;
        if operation.phase == Some(Phase::Final) && operation.is_read() {
            reads[key].push(operation);
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

/// Why the final reads began too early to mean anything, if they did.
fn unsettled(history: &History, faults: &[Fault], start: Moment) -> Option<String> {
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
                        && operation.completed.is_none_or(|completed| completed > start)
                }
            }
    })?;
    Some(format!("process {}'s {} was still open when the final reads began", open.process, open.f))
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
    reads: &[&'h Operation],
) -> Agreement<'h> {
    let of_node = |node: &Option<NodeId>| -> Vec<&'h Operation> {
        reads.iter().filter(|read| read.node == *node).copied().collect()
    };
    let by_node: Vec<Vec<&Operation>> = nodes.iter().map(of_node).collect();
    let rounds = by_node.iter().map(Vec::len).max().unwrap_or(0);
    let last_round: Vec<&Operation> = by_node
        .iter()
        .filter(|reads| reads.len() == rounds)
        .filter_map(|reads| reads.last().copied())
        .filter(|read| read.is_ok())
        .collect();
    if let Some((one, other)) = differing(&last_round) {
        return Agreement::Differ(one, other);
    }
    let mut latest = Vec::new();
    for (node, reads) in nodes.iter().zip(&by_node) {
        let Some(read) = reads.iter().rfind(|read| read.is_ok()) else {
            return Agreement::Unknown(format!(
                "{} never answered a final read",
                node.map_or("the system", |node| &history[node])
            ));
        };
        latest.push(*read);
    }
    match differing(&latest) {
        None => Agreement::Agreed(latest[0]),
        Some((one, other)) => Agreement::Unknown(format!(
            "{} did not answer in the last round of final reads",
            [one, other]
                .iter()
                .find(|read| !last_round.iter().any(|last| std::ptr::eq(*last, **read)))
                .and_then(|read| read.node)
                .map_or("a node", |node| &history[node])
        )),
    }
}

fn differing<'h>(reads: &[&'h Operation]) -> Option<(&'h Operation, &'h Operation)> {
    let value = |read: &'h Operation| -> &'h Value { &read.result };
    let first = reads.first()?;
    let other = reads.iter().find(|read| value(read) != value(first))?;
    Some((first, other))
}
