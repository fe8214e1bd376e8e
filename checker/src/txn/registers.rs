//! Transactions on registers: the whole way from a history to the levels.
//!
//! Nobody tells in which order the versions of a register came, so that to find one that explains
//! everything is NP-hard from snapshots on (Papadimitriou 1979; Biswas and Enea 2019). What every
//! explanation has to agree on is found first, and a cycle in that rules levels out; read committed, read
//! atomic and causal are decided by that alone. Then one order of all transactions is tried, and if it
//! explains everything it is the proof.

use rayon::prelude::*;
use serde_json::Value;

use super::append::Repeated;
use super::append_edges::End;
use super::cycles::{self, Searched};
use super::found::{Cycle, Found, Instance};
use super::graph::{Edge, Edges, Graph, INFORMATION, ITEMS, Kinds, REAL_TIME, SESSIONS};
use super::guess::{explains, is_explained_as_it_stands};
use super::judge::{Decided, unknown};
use super::levels::{implies, with_stronger};
use super::material::{Material, NONE};
use super::order::{add_real_time, add_sessions};
use super::path::Paths;
use super::register_reads::{Read, Registers};
use super::register_tell::Words;
use super::saturate::{Past, add_reads};
use super::seen::{Known, missed as missed_at_once};
use super::sessions::Sessions;
use super::version_order::VersionOrder;
use super::{Transactional, tell};
use crate::history::History;
use crate::history::steps::{Action, AtomOwned, Content};
use crate::judgement::Misfit;
use crate::ladder::Rung;

/// What such a transaction is.
const OPERATIONS: &str = "a transaction [[\"w\", key, value], [\"r\", key, value]]";

/// More numbers than this are not kept for what is known at each moment of each session.
const CLOCKS_MOST: u64 = 200_000_000;

/// Of more transactions than this only the level that is asked for is decided, if it is a weak one.
const ALL_LEVELS_MOST: u32 = 50_000;

/// Why a level is open.
const NOT_ASKED: &str = "not asked: of so many transactions the stronger levels are looked at only if one of \
                         them is expected";

/// Why a level is open.
const NO_ORDER: &str =
    "no cycle rules it out, and the order that was tried does not explain everything";

/// Judges a history of transactions on registers that all hold `initial` at first.
pub(super) fn check(
    history: &History,
    initial: &Value,
    asked: Option<Rung>,
) -> Result<Transactional, Misfit> {
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
    let sessions = Sessions::of(&material, &registers);
    let judge = Judge { material: &material, sessions, registers: &registers };
    let words = Words { material: &material, registers: &registers };
    let tell = |found: Found, decided: &Decided| Transactional {
        violations: tell::violations(&material, &words, found),
        ladder: decided.ladder(history),
    };
    // Weak levels are fast by themselves.
    if let Some(asked) = asked.filter(|level| decided_by_graph(*level))
        && material.len() > ALL_LEVELS_MOST
    {
        let weak = judge.weak(asked);
        let nothing = (!weak.found.is_empty() || !found.0.is_empty())
            .then(|| judge.one(Kinds::of(&[]), false));
        weak.tell(&mut found, &mut decided);
        nothing.into_iter().for_each(|one| one.tell(&mut found, &mut decided));
        decided.rule_out(&found);
        let others = [Rung::ReadAtomic, Rung::Causal].into_iter();
        let not_asked = others.filter(|level| *level != asked && !implies(asked, *level));
        decided.open.extend(not_asked.map(|level| (level, NOT_ASKED)));
        decided.leave_open(None, NOT_ASKED);
        return Ok(tell(found, &decided));
    }
    if found.0.is_empty() && is_explained_as_it_stands(&registers) {
        return Ok(tell(found, &decided));
    }
    let (with, strongest) = match history.has_real_time() {
        true => (REAL_TIME, Rung::StrictSerializable),
        false => (SESSIONS, Rung::StrongSessionSerializable),
    };
    let strong = judge.one(with, true);
    if strong.is_explained && found.0.is_empty() {
        return Ok(tell(found, &decided));
    }
    let others =
        [(Kinds::of(&[]), Rung::Serializable), (SESSIONS, Rung::StrongSessionSerializable)];
    let others = others.into_par_iter().filter(|(_, level)| *level != strongest);
    let (weak, others) = rayon::join(
        || judge.weak(Rung::Causal),
        || -> Vec<_> { others.map(|(with, level)| (judge.one(with, true), level)).collect() },
    );
    weak.tell(&mut found, &mut decided);
    let all = others.into_iter().chain([(strong, strongest)]);
    let mut explained = Vec::new();
    for (one, level) in all {
        explained.extend(one.is_explained.then_some(level));
        one.tell(&mut found, &mut decided);
    }
    decided.rule_out(&found);
    // The strongest one that is proven proves the others.
    let proven = explained.into_iter().rev().find(|level| decided.may_hold(*level));
    decided.leave_open(proven, NO_ORDER);
    Ok(tell(found, &decided))
}

struct Judge<'j, 'h> {
    material: &'j Material<'h>,
    sessions: Sessions,
    registers: &'j Registers,
}

/// What is known of the orders that keep the same.
struct One {
    searched: Vec<Searched>,
    /// Whether there are too many sessions to see what follows from all that is known.
    is_partial: bool,
    /// Whether one such order explains every read.
    is_explained: bool,
}

impl One {
    fn tell(self, found: &mut Found, decided: &mut Decided) {
        for searched in self.searched {
            decided.undecided.extend(&searched.undecided);
            searched.tell(found);
        }
        if self.is_partial {
            decided.undecided.push(Rung::Causal);
        }
    }
}

/// What is known of the levels that the graph alone decides.
struct Weak {
    found: Vec<Instance>,
    is_partial: bool,
}

impl Weak {
    fn tell(self, found: &mut Found, decided: &mut Decided) {
        self.found.into_iter().for_each(|instance| found.add(instance));
        if self.is_partial {
            decided.undecided.push(Rung::Causal);
        }
    }
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

    /// What follows for orders that keep these, and whether one explains everything, if that is to be tried.
    fn one(&self, with: Kinds, explain: bool) -> One {
        let (graph, is_partial) = self.graph(with);
        let updates = |one: u32| self.material.writes(one);
        let components = graph.cycles(ITEMS.and(with));
        let searched: Vec<Searched> = components
            .iter()
            .map(|component| cycles::search_with(&graph, component, &updates, with))
            .collect();
        let is_explained = explain && searched.is_empty() && explains(&graph, with, self.registers);
        One { searched, is_partial, is_explained }
    }

    /// All that every explanation has to agree on that keeps these orders, and whether something is left
    /// out of that.
    fn graph(&self, with: Kinds) -> (Graph, bool) {
        let (mut edges, mut nodes) = self.base(with);
        let base = Graph::new(self.material.len(), nodes, edges.clone());
        let (order, is_partial) = match self.clocks(&base) {
            true => (Past::of(&self.sessions, &base, INFORMATION.and(with)), false),
            false => (None, with != Kinds::of(&[])),
        };
        drop(base);
        let versions = VersionOrder::of(self.registers, order.as_ref(), with);
        drop(order);
        for (_, before, after) in versions.pairs() {
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
            let later = versions.after(read.key, read.writer);
            later.for_each(|after| edges.add(Edge::Rw, read.reader, after));
        }
        (Graph::new(self.material.len(), nodes, edges), is_partial)
    }

    fn clocks(&self, graph: &Graph) -> bool {
        u64::from(graph.len()) * u64::from(self.sessions.count()) <= CLOCKS_MOST
    }

    /// By what the weakest of monotonic atomic view, read atomic and causal is broken that is; none stronger
    /// than `most` is looked at.
    fn weak(&self, most: Rung) -> Weak {
        let (base, nodes) = self.base(SESSIONS);
        let mut weak = Weak { found: Vec::new(), is_partial: false };
        let levels = [Rung::Causal, Rung::ReadAtomic, Rung::MonotonicAtomicView];
        // What keeps a level keeps the weaker ones.
        for level in levels.into_iter().skip_while(|level| *level != most && implies(*level, most))
        {
            let mut edges = base.clone();
            let mut missed = None;
            let mut add = |writer: u32, read: &Read| match read.writer {
                NONE => missed = missed.or(Some((writer, *read))),
                other => edges.add(Edge::Ww, writer, other),
            };
            let Registers { reads, .. } = self.registers;
            if level == Rung::Causal {
                let base = Graph::new(self.material.len(), nodes, base.clone());
                if !self.clocks(&base) {
                    weak.is_partial = true;
                    continue;
                }
                let past = Past::of(&self.sessions, &base, INFORMATION.and(SESSIONS));
                let all = past.iter().flat_map(|past| past.missed(reads));
                all.for_each(|(writer, at)| add(writer, &reads[at as usize]));
            } else {
                let known = if level == Rung::ReadAtomic { Known::Any } else { Known::Earlier };
                missed_at_once(reads, self.registers, &self.sessions, known, &mut add);
            }
            let found = match missed {
                Some((missed, Read { reader, key, .. })) => {
                    Some(Instance::Missed { level, key, missed, reader })
                }
                None => cycle(&Graph::new(self.material.len(), nodes, edges), level)
                    .map(Instance::Cycle),
            };
            let is_kept = found.is_none();
            weak.found = found.into_iter().chain(weak.found).take(1).collect();
            if is_kept {
                break;
            }
        }
        weak
    }
}

/// Whether a level hangs on what is known of every explanation alone.
fn decided_by_graph(level: Rung) -> bool {
    level == Rung::Causal || implies(Rung::Causal, level)
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
