//! Sentences about transactions.

use super::found::{Cycle, Found, Instance};
use super::graph::Edge;
use super::material::Material;
use crate::history::Completion;
use crate::history::steps::{Content, Step, Steps};
use crate::tell::Seconds;
use crate::violation::Violation;

/// More elements of a list than this are not told.
const ELEMENTS_TOLD: usize = 8;
/// More accesses of a transaction than this are not told.
const ACCESSES_TOLD: usize = 12;

/// What a kind of objects says of an edge between two transactions.
pub(crate) trait Explain {
    /// The key on which one transaction comes before the other for that reason, and in words why.
    fn why(&self, edge: Edge, from: u32, to: u32) -> Option<(u32, String)>;

    /// What is wrong with single accesses.
    fn because(&self, instance: &Instance) -> Vec<String>;
}

/// Writes out what was found, the gravest first.
pub(crate) fn violations(
    material: &Material<'_>,
    explain: &impl Explain,
    found: Found,
) -> Vec<Violation> {
    let violation = |(instance, count): (Instance, u64)| {
        let transactions = instance.transactions();
        let mut because: Vec<String> =
            transactions.iter().map(|one| transaction(material, *one)).collect();
        let key = match &instance {
            Instance::Cycle(cycle) => {
                because.extend(cycle_of(material, explain, cycle));
                None
            }
            other => {
                because.extend(explain.because(other));
                other.key().map(|key| name_of(material, key))
            }
        };
        let index = |one: &u32| material.operation(*one).invoked.index;
        let (shape, dependencies) = match &instance {
            Instance::Cycle(cycle) => {
                (cycle.shape(), cycle.steps.iter().map(|(_, edge)| edge.name()).collect())
            }
            _ => (None, Vec::new()),
        };
        Violation {
            name: instance.name(),
            key,
            witness: transactions.iter().map(index).collect(),
            because,
            count,
            reached: None,
            shape,
            dependencies,
            rules_out: instance.rules_out(),
        }
    };
    let mut violations: Vec<Violation> = found.0.into_iter().map(violation).collect();
    violations.sort_by_key(|violation| std::cmp::Reverse(violation.rules_out.len()));
    violations
}

/// A key's name.
pub(crate) fn name_of(material: &Material<'_>, key: u32) -> String {
    match material.keys[key as usize].value() {
        serde_json::Value::String(name) => name,
        other => other.to_string(),
    }
}

/// A transaction by the index of its invocation.
pub(crate) fn short(material: &Material<'_>, transaction: u32) -> String {
    format!("T{}", material.operation(transaction).invoked.index)
}

/// What a transaction did, and when.
fn transaction(material: &Material<'_>, transaction: u32) -> String {
    let operation = material.operation(transaction);
    let answered = operation.is_ok() && !operation.result().is_null();
    let value = if answered { operation.result() } else { operation.argument() };
    let mut steps = value.as_steps().into_iter().flat_map(Steps::iter);
    let mut told: Vec<String> = steps.by_ref().take(ACCESSES_TOLD).map(step).collect();
    let more = steps.count();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let end = match operation.completion() {
        Completion::Ok => "",
        Completion::Fail => ", which certainly did not happen",
        Completion::Info => ", and never learnt whether it happened",
    };
    let name = short(material, transaction);
    format!("{name} is what process {} did: {}{end}", operation.process, told.join(", "))
}

fn step(step: Step<'_>) -> String {
    format!("{} {} {}", step.action.name(), step.key.value(), content(step.content))
}

/// A value in words of bounded length: the end of a list is what matters.
pub(crate) fn content(content: Content<'_>) -> String {
    match content {
        Content::List(list) if list.len() as usize > ELEMENTS_TOLD => {
            let left_out = list.len() as usize - ELEMENTS_TOLD;
            let rest: Vec<String> =
                list.iter().skip(left_out).map(|element| element.value().to_string()).collect();
            format!("[{left_out} elements, {}]", rest.join(","))
        }
        other => other.value().to_string(),
    }
}

/// One sentence for each step of a cycle.
fn cycle_of(material: &Material<'_>, explain: &impl Explain, cycle: &Cycle) -> Vec<String> {
    let next = cycle.steps.iter().cycle().skip(1);
    let sentence = |((from, edge), (to, _)): (&(u32, Edge), &(u32, Edge))| {
        let [a, b] = [from, to].map(|one| short(material, *one));
        let why = match edge {
            Edge::Session => {
                let process = material.operation(*from).process;
                format!("process {process} had ended it before it began {b}")
            }
            Edge::RealTime => {
                let ended = material.operation(*from).completed().unwrap_or_default();
                let began = material.operation(*to).invoked;
                format!(
                    "it had ended at {} (event {}), before {b} began at {} (event {})",
                    Seconds(ended.time_ns),
                    ended.index,
                    Seconds(began.time_ns),
                    began.index
                )
            }
            _ => explain.why(*edge, *from, *to).map_or_else(String::new, |(_, why)| why),
        };
        format!("{a} comes before {b}: {why}")
    };
    cycle.steps.iter().zip(next).map(sentence).collect()
}

impl Cycle {
    /// Cycles that have names of their own (Berenson et al. 1995; Sovran et al. 2011).
    fn shape(&self) -> Option<&'static str> {
        let edges: Vec<Edge> = self.steps.iter().map(|(_, edge)| *edge).collect();
        match edges[..] {
            [Edge::Rw, Edge::Rw] => Some("write-skew"),
            [Edge::Wr, Edge::Rw, Edge::Wr, Edge::Rw] | [Edge::Rw, Edge::Wr, Edge::Rw, Edge::Wr] => {
                Some("long-fork")
            }
            [Edge::Wr, Edge::Rw] | [Edge::Rw, Edge::Wr] => Some("read-skew"),
            _ => None,
        }
    }
}

impl Instance {
    /// The transactions that show it, in the order of the argument.
    fn transactions(&self) -> Vec<u32> {
        match self {
            Instance::IncompatibleOrder { reads: pair, .. }
            | Instance::LostUpdate { updates: pair, .. } => pair.to_vec(),
            Instance::Duplicate { reader, .. } | Instance::Phantom { reader, .. } => vec![*reader],
            Instance::G1a { writer, reader, .. }
            | Instance::G1b { writer, reader, .. }
            | Instance::Reordered { writer, reader, .. } => vec![*writer, *reader],
            Instance::DirtyUpdate { failed, next, .. } => vec![*failed, *next],
            Instance::Internal { transaction, .. } | Instance::FutureRead { transaction, .. } => {
                vec![*transaction]
            }
            Instance::Missed { missed, reader, .. } => vec![*missed, *reader],
            Instance::CyclicVersions { writers, reader, .. } => {
                writers.iter().chain(reader).copied().collect()
            }
            Instance::Unserializable { transactions, .. }
            | Instance::NoSnapshots { transactions, .. } => transactions.clone(),
            Instance::Cycle(cycle) => cycle.steps.iter().map(|(one, _)| *one).collect(),
        }
    }

    fn key(&self) -> Option<u32> {
        match self {
            Instance::IncompatibleOrder { key, .. }
            | Instance::Duplicate { key, .. }
            | Instance::Phantom { key, .. }
            | Instance::G1a { key, .. }
            | Instance::G1b { key, .. }
            | Instance::Reordered { key, .. }
            | Instance::DirtyUpdate { key, .. }
            | Instance::Internal { key, .. }
            | Instance::FutureRead { key, .. }
            | Instance::LostUpdate { key, .. }
            | Instance::CyclicVersions { key, .. }
            | Instance::Missed { key, .. } => Some(*key),
            Instance::Unserializable { .. } | Instance::NoSnapshots { .. } | Instance::Cycle(_) => {
                None
            }
        }
    }
}
