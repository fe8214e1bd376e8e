//! Why few operations break a rung, step by step.
//!
//! The same rules as the fast procedures use, on a graph that is searched anew after every step; so it
//! is slow, obvious, and every step knows what it rests on.

use super::kept::Kept;
use super::rungs::causal::Causal;
use super::sessions::{INITIAL, Sessions};
use super::steps::Graph;

/// Why one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// Its session did them in this order.
    Session,
    /// The second read what the first wrote.
    ReadsFrom,
    /// `read` read from the second, but the first is before it, by these steps.
    Hidden { read: u32, path: Vec<usize> },
    /// The first read from `from`, which the second overwrites, by these steps.
    Overwritten { from: u32, path: Vec<usize> },
}

/// That one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub before: u32,
    pub after: u32,
    pub because: Because,
}

/// What all of it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// These steps lead back to where they began.
    Cycle(Vec<usize>),
    /// These steps lead from a write to a read of its key, which returned the value before every write.
    Initial(Vec<usize>),
    /// Every order was tried.
    Tried,
}

/// Steps, each after those that it rests on, and their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    pub steps: Vec<Step>,
    pub end: End,
    /// The pattern in the words of Bouajjani et al. 2017, or after them.
    pub shape: &'static str,
}

/// How far the rules go.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Whether all reads count, or those of one session.
    pub all_reads: bool,
    /// Whether what was derived helps to derive more.
    pub nested: bool,
    /// Whether what was derived may lie on the way back of a cycle.
    pub closing: bool,
    /// Whether a read comes before the writes that overwrite what it returned.
    pub overwrites: bool,
    /// What kept orders are called in the name of a pattern.
    pub order: &'static str,
    /// The name of a cycle that takes more than one derived step.
    pub cyclic: &'static str,
}

/// For a rung that is decided session by session. `order` is what its order is called.
pub(crate) fn argue_view(kept: impl Kept, sessions: &Sessions) -> Option<Argument> {
    let rules = Rules {
        all_reads: false,
        nested: true,
        closing: true,
        overwrites: false,
        order: kept.letters(),
        cyclic: "CyclicHB",
    };
    (0..sessions.sessions() as u32).find_map(|reader| argue(kept, sessions, reader, rules))
}

pub(crate) fn argue_convergence(sessions: &Sessions) -> Option<Argument> {
    let rules = Rules {
        all_reads: true,
        nested: false,
        closing: true,
        overwrites: false,
        order: "CO",
        cyclic: "CyclicCF",
    };
    argue(Causal, sessions, 0, rules)
}

pub(crate) fn argue_weak(sessions: &Sessions) -> Option<Argument> {
    let rules = Rules {
        all_reads: true,
        nested: false,
        closing: false,
        overwrites: false,
        order: "CO",
        cyclic: "WriteCORead",
    };
    argue(Causal, sessions, 0, rules)
}

/// Derives steps until they contradict each other, or there are no more.
pub(crate) fn argue(
    kept: impl Kept,
    sessions: &Sessions,
    reader: u32,
    rules: Rules,
) -> Option<Argument> {
    let mut graph = Graph::of(kept, sessions, reader);
    let base = graph.steps.len();
    if let Some(cycle) = (0..base).find_map(|step| graph.closed_by(step, base)) {
        return Some(graph.end(End::Cycle(cycle), rules));
    }
    let counts = |node: &u32| rules.all_reads || sessions[*node].session == reader;
    let nodes = 0..sessions.len() as u32;
    let reads: Vec<u32> = nodes.clone().filter(|n| !sessions.is_write(*n)).filter(counts).collect();
    loop {
        let before = graph.steps.len();
        for read in &reads {
            let source = sessions[*read].source;
            let same =
                |node: &u32| sessions.is_write(*node) && sessions[*node].key == sessions[*read].key;
            for write in nodes.clone().filter(same).filter(|write| *write != source) {
                let unit = |node: u32| kept.unit(sessions, node);
                if unit(*read) == unit(write) {
                    continue;
                }
                let reach = if rules.nested { graph.steps.len() } else { base };
                if let Some(path) = graph.path(unit(write), unit(*read), reach) {
                    if source == INITIAL {
                        return Some(graph.end(End::Initial(path), rules));
                    }
                    let because = Because::Hidden { read: *read, path };
                    if let Some(cycle) =
                        graph.derive(unit(write), unit(source), because, rules, base)
                    {
                        return Some(graph.end(End::Cycle(cycle), rules));
                    }
                }
                if !rules.overwrites {
                    continue;
                }
                let path = match source {
                    INITIAL => Some(Vec::new()),
                    source => graph.path(unit(source), unit(write), graph.steps.len()),
                };
                if let Some(path) = path {
                    let because = Because::Overwritten { from: source, path };
                    if let Some(cycle) =
                        graph.derive(unit(*read), unit(write), because, rules, base)
                    {
                        return Some(graph.end(End::Cycle(cycle), rules));
                    }
                }
            }
        }
        if graph.steps.len() == before {
            return None;
        }
    }
}
