//! Transactions on registers: the whole way from a history to the levels.
//!
//! Nobody tells in which order the versions of a register came, so that to find one that explains
//! everything is NP-hard from snapshots on (Papadimitriou 1979; Biswas and Enea 2019). What every
//! explanation has to agree on is found first, and a cycle in that rules levels out; read committed, read
//! atomic and causal are decided by that alone. Then one order of all transactions is tried, and if it
//! explains everything it is the proof.

use serde_json::Value;

use super::append::Repeated;
use super::append_edges::End;
use super::cycles;
use super::found::{Cycle, Found, Instance};
use super::graph::{Edge, Edges, Graph, INFORMATION, ITEMS, Kinds, REAL_TIME, SESSIONS};
use super::guess::explains;
use super::judge::{Decided, unknown};
use super::levels::with_stronger;
use super::material::{Material, NONE};
use super::order::{add_real_time, add_sessions};
use super::path::Paths;
use super::register_reads::{Read, Registers};
use super::register_tell::Words;
use super::saturate::{Sessions, add_reads};
use super::{Transactional, tell};
use crate::history::History;
use crate::history::steps::{Action, AtomOwned, Content};
use crate::judgement::Misfit;
use crate::ladder::Rung;

/// What such a transaction is.
const OPERATIONS: &str = "a transaction [[\"w\", key, value], [\"r\", key, value]]";

/// More numbers than this are not kept for what is known at each moment of each session.
const CLOCKS_MOST: u64 = 200_000_000;

/// Why a level is open.
const NO_ORDER: &str =
    "no cycle rules it out, and the order that was tried does not explain everything";

/// Judges a history of transactions on registers that all hold `initial` at first.
pub(super) fn check(history: &History, initial: &Value) -> Result<Transactional, Misfit> {
    let may_be = |action, content: Content<'_>| match action {
        Action::Write => matches!(content, Content::One(value) if !value.is_null()),
        Action::Read => true,
        Action::Append => false,
    };
    let material = Material::of(history, may_be)
        .map_err(|operation| Misfit::of(operation, "rw-register", OPERATIONS))?;
    let mut found = Found::default();
    let initial = AtomOwned::of(initial);
    let registers = match Registers::of(&material, &initial, &mut found) {
        Ok(registers) => registers,
        Err(repeated) => return Ok(unknown(history, &repeated.why(&material, "written"))),
    };
    let mut decided = Decided::default();
    let judge = Judge {
        material: &material,
        sessions: Sessions::of(&material, &registers),
        registers: &registers,
    };
    judge.weak(&mut found);
    let mut graphs = Vec::new();
    for (with, level) in [
        (Kinds::of(&[]), Rung::Serializable),
        (SESSIONS, Rung::StrongSessionSerializable),
        (REAL_TIME, Rung::StrictSerializable),
    ] {
        if level == Rung::StrictSerializable && !history.has_real_time() {
            continue;
        }
        let graph = judge.graph(with, &mut decided);
        let updates = |one: u32| material.writes(one);
        for component in graph.cycles(ITEMS.and(with)) {
            let searched = cycles::search_with(&graph, &component, &updates, with);
            decided.undecided.extend(&searched.undecided);
            searched.tell(&mut found);
        }
        graphs.push((graph, with, level));
    }
    decided.rule_out(&found);
    // The strongest one that is proven proves the others.
    let proven = graphs.iter().rev().find(|(graph, with, level)| {
        decided.may_hold(*level) && explains(graph, *with, &registers)
    });
    let proven = proven.map(|(.., level)| *level);
    decided.leave_open(proven, NO_ORDER);
    let words = Words { material: &material, registers: &registers };
    Ok(Transactional {
        violations: tell::violations(&material, &words, found),
        ladder: decided.ladder(history),
    })
}

struct Judge<'j, 'h> {
    material: &'j Material<'h>,
    sessions: Sessions,
    registers: &'j Registers,
}

impl Judge<'_, '_> {
    /// What is known without any inference: who read from whom, and who came first.
    fn base(&self, with: Kinds) -> (Edges, u32) {
        let mut edges = Edges::default();
        let mut nodes = self.material.len();
        add_reads(&self.registers.reads, &mut edges);
        if with.has(Edge::Session) {
            add_sessions(self.material, &self.registers.happened, &mut edges);
        }
        if with.has(Edge::RealTime) {
            add_real_time(self.material, &self.registers.happened, &mut edges, &mut nodes);
        }
        (edges, nodes)
    }

    /// All that every explanation has to agree on that keeps these orders.
    fn graph(&self, with: Kinds, decided: &mut Decided) -> Graph {
        let (mut edges, mut nodes) = self.base(with);
        let mut versions: Vec<(u32, u32, u32)> = Vec::new();
        // Who reads a version and writes the key makes a later one.
        for read in &self.registers.reads {
            if self.registers.wrote(read.reader, read.key) {
                versions.push((read.key, read.writer, read.reader));
            }
        }
        if with != Kinds::of(&[]) {
            let base = Graph::new(self.material.len(), nodes, self.base(with).0);
            if self.clocks(&base) {
                let kinds = INFORMATION.and(with);
                self.sessions.saturate(&base, kinds, &self.registers.reads, |writer, read| {
                    if read.writer != NONE {
                        versions.push((read.key, writer, read.writer));
                    }
                });
            } else {
                decided.undecided.push(Rung::Causal);
            }
        }
        versions.sort_unstable();
        versions.dedup();
        for (_, before, after) in versions.iter().filter(|(_, before, _)| *before != NONE) {
            edges.add(Edge::Ww, *before, *after);
        }
        // Everything comes after what was there first.
        let writers = |key: u32| self.registers.writers[key as usize].iter().copied();
        let mut all: Vec<Option<End>> = self.registers.writers.iter().map(|_| None).collect();
        for read in &self.registers.reads {
            if read.writer == NONE {
                let all = all[read.key as usize]
                    .get_or_insert_with(|| End::new(writers(read.key), &mut edges, &mut nodes));
                all.read_by(read.reader, writers(read.key), &mut edges);
                continue;
            }
            let version = (read.key, read.writer, 0);
            let later = versions[versions.partition_point(|one| *one < version)..]
                .iter()
                .take_while(|(key, before, _)| (*key, *before) == (read.key, read.writer));
            later.for_each(|(.., after)| edges.add(Edge::Rw, read.reader, *after));
        }
        Graph::new(self.material.len(), nodes, edges)
    }

    fn clocks(&self, graph: &Graph) -> bool {
        u64::from(graph.len()) * u64::from(self.sessions.count()) <= CLOCKS_MOST
    }

    /// Monotonic atomic view, read atomic and causal.
    fn weak(&self, found: &mut Found) {
        let (base, nodes) = self.base(SESSIONS);
        let base = Graph::new(self.material.len(), nodes, base);
        for level in [Rung::MonotonicAtomicView, Rung::ReadAtomic, Rung::Causal] {
            let (mut edges, nodes) = self.base(SESSIONS);
            let mut missed = None;
            let mut add = |writer: u32, read: &Read| match read.writer {
                NONE => missed = missed.or(Some((writer, *read))),
                other => edges.add(Edge::Ww, writer, other),
            };
            let reads = &self.registers.reads;
            match level {
                Rung::Causal if self.clocks(&base) => {
                    self.sessions.saturate(&base, INFORMATION.and(SESSIONS), reads, add);
                }
                Rung::Causal => continue,
                _ => {
                    let any = level == Rung::ReadAtomic;
                    self.sessions.direct(reads, self.registers, any, &mut add);
                }
            }
            if let Some((missed, Read { reader, key, .. })) = missed {
                return found.add(Instance::Missed { level, key, missed, reader });
            }
            let graph = Graph::new(self.material.len(), nodes, edges);
            if let Some(cycle) = cycle(&graph, level) {
                return found.add(Instance::Cycle(cycle));
            }
        }
    }
}

/// A short cycle by which a level is broken.
fn cycle(graph: &Graph, level: Rung) -> Option<Cycle> {
    let kinds = INFORMATION.and(SESSIONS);
    let components = graph.cycles(kinds);
    let component = components.iter().min_by_key(|component| component.len())?;
    let part = graph.part(component);
    let successors = |one| part.by(one, kinds).map(|(kind, to)| (Some(kind), to));
    let hops =
        Paths::new(part.len(), 20_000_000).shortest_cycle(0..part.len(), |_| false, successors)?;
    let steps = hops.into_iter().filter_map(|(from, kind)| Some((component[from as usize], kind?)));
    Some(Cycle {
        name: match level {
            Rung::MonotonicAtomicView => "observed-transaction-vanishes",
            Rung::ReadAtomic => "fractured-read",
            _ => "causality-violation",
        },
        steps: steps.collect(),
        rules_out: with_stronger(level),
    })
}

impl Repeated {
    /// That nothing can be said.
    pub(super) fn why(&self, material: &Material<'_>, done: &str) -> String {
        let access = &material.accesses[self.0 as usize];
        let index = |at: u32| material.operation(material.owner[at as usize]).invoked.index;
        format!(
            "assumption: {} was {done} to {} by events {} and {}, so that nobody knows whose it is when it \
             is read",
            access.content.value(),
            material.keys[access.key as usize].value(),
            index(self.0),
            index(self.1)
        )
    }
}
