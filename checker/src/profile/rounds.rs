//! Rounds: one key read at all nodes at once, while clients work and in the end.
//!
//! Two answers of a round that differ show that two nodes differ, provided that each of both values
//! had settled before the round began: no write that could make it current again was still to end.
//! A linearizable system has one such value at a time, so it scores 0.

use std::collections::BTreeMap;

use crate::history::{NodeId, Phase};
use crate::linearizable::ValueId;
use crate::register::{Observation, Register, SettledValues};

/// One key read at several nodes at once.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// When the first read began that was answered.
    pub begun_ns: u64,
    /// Whether it is one of the rounds in the end, when clients write no more.
    pub is_final: bool,
    /// What nodes answered that had settled before.
    answers: Vec<(NodeId, ValueId)>,
    /// All that nodes answered.
    shown: Vec<(NodeId, ValueId)>,
}

impl Round {
    /// How many values these nodes, all for `None`, held at once for certain; `None` if not even two
    /// of them gave an answer that says something.
    pub fn distinct(&self, nodes: Option<&[NodeId]>) -> Option<usize> {
        let mut values = asked(&self.answers, nodes);
        if values.len() < 2 {
            return None;
        }
        values.sort_unstable_by_key(|value| value.0);
        values.dedup();
        Some(values.len())
    }

    /// How many of these nodes, all for `None`, answered, if all of them the same; `None` if they may
    /// have differed, also by writes that were under way.
    pub fn agreeing(&self, nodes: Option<&[NodeId]>) -> Option<usize> {
        let asked = asked(&self.shown, nodes);
        asked.windows(2).all(|pair| pair[0] == pair[1]).then_some(asked.len())
    }

    /// How many of these nodes, all for `None`, answered.
    pub fn answering(&self, nodes: Option<&[NodeId]>) -> usize {
        asked(&self.shown, nodes).len()
    }
}

/// What these nodes answered.
fn asked(answers: &[(NodeId, ValueId)], nodes: Option<&[NodeId]>) -> Vec<ValueId> {
    let asked = |node: &NodeId| nodes.is_none_or(|nodes| nodes.contains(node));
    answers.iter().filter(|(node, _)| asked(node)).map(|(_, value)| *value).collect()
}

/// The rounds on one register.
#[derive(Clone, Debug)]
pub(crate) struct KeyRounds {
    /// When its first write was begun, and when its last.
    pub written_ns: (u64, u64),
    /// In the order of their beginning.
    pub all: Vec<Round>,
}

/// Those of one register's rounds that began in a time; they are in the order of their beginning.
pub(crate) fn within(rounds: &[Round], from_ns: u64, until_ns: u64) -> &[Round] {
    let from = rounds.partition_point(|round| round.begun_ns < from_ns);
    let until = rounds.partition_point(|round| round.begun_ns < until_ns);
    &rounds[from..until.max(from)]
}

/// The rounds on one register, if there are any.
pub(crate) fn rounds(register: &Register<'_>) -> Option<KeyRounds> {
    let mut probes: BTreeMap<u64, Vec<Observation<'_>>> = BTreeMap::new();
    let mut finals: Vec<Vec<Observation<'_>>> = Vec::new();
    for seen in register.observations.iter().filter(|seen| seen.operation.node().is_some()) {
        let operation = seen.operation;
        if operation.probe() {
            probes.entry(operation.due_ns).or_default().push(*seen);
        } else if operation.phase == Some(Phase::Final) && operation.is_read() {
            // A node that is asked again begins the next round.
            let asked = |round: &Vec<Observation<'_>>| {
                round.iter().any(|seen| seen.operation.node() == operation.node())
            };
            if finals.last().is_none_or(asked) {
                finals.push(Vec::new());
            }
            finals.last_mut().expect("there is one").push(*seen);
        }
    }
    if probes.is_empty() && finals.is_empty() {
        return None;
    }
    let settled = SettledValues::of(register);
    let round = |(reads, is_final): (Vec<Observation<'_>>, bool)| {
        let begun = reads.iter().map(|seen| seen.operation.invoked).min()?;
        let has_settled = |seen: &&Observation<'_>| {
            settled.after(seen.value).is_some_and(|after| after <= begun.index)
        };
        let answer = |seen: &Observation<'_>| Some((seen.operation.node()?, seen.value));
        let answers = reads.iter().filter(has_settled).filter_map(answer).collect();
        let shown = reads.iter().filter_map(answer).collect();
        Some(Round { begun_ns: begun.time_ns, is_final, answers, shown })
    };
    let probes = probes.into_values().map(|reads| (reads, false));
    let finals = finals.into_iter().map(|reads| (reads, true));
    let mut rounds: Vec<Round> = probes.chain(finals).filter_map(round).collect();
    rounds.sort_by_key(|round| round.begun_ns);
    let written_ns = register
        .possible_attempts()
        .map(|attempt| attempt.operation.invoked.time_ns)
        .fold((u64::MAX, 0), |(first, last), at| (first.min(at), last.max(at)));
    Some(KeyRounds { written_ns, all: rounds })
}
