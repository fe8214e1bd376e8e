//! Monotonic atomic view, read atomic and causal of transactions on registers, which hang on what every
//! explanation has to agree on alone (Biswas and Enea, OOPSLA 2019).

use super::found::{Cycle, Found, Instance};
use super::graph::{Edge, Graph, INFORMATION, SESSIONS};
use super::judge::Decided;
use super::levels::{implies, with_stronger};
use super::material::NONE;
use super::path::Paths;
use super::register_graph::Judge;
use super::register_reads::{Read, Registers};
use super::saturate::Past;
use super::seen::{Known, missed as missed_at_once};
use crate::ladder::Rung;

/// What is known of the levels that the graph alone decides.
pub(super) struct Weak {
    pub found: Vec<Instance>,
    is_partial: bool,
}

impl Weak {
    pub fn tell(self, found: &mut Found, decided: &mut Decided) {
        self.found.into_iter().for_each(|instance| found.add_new(instance));
        if self.is_partial {
            decided.undecided.push(Rung::Causal);
        }
    }
}

impl Judge<'_, '_> {
    /// By what the weakest of monotonic atomic view, read atomic and causal is broken that is; none stronger
    /// than `most` is looked at.
    pub fn weak(&self, most: Rung) -> Weak {
        let (base, nodes) = self.base(SESSIONS);
        let mut weak = Weak { found: Vec::new(), is_partial: false };
        let levels = [Rung::Causal, Rung::ReadAtomic, Rung::MonotonicAtomicView];
        // What keeps that is read committed too.
        let weakest = Rung::MonotonicAtomicView;
        let most = if implies(weakest, most) { weakest } else { most };
        // What keeps a level keeps the weaker ones.
        for level in levels.into_iter().skip_while(|level| *level != most && implies(*level, most))
        {
            let mut edges = base.clone();
            self.trusted.pairs.iter().for_each(|(_, one, other)| edges.add(Edge::Ww, *one, *other));
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
pub(super) fn decided_by_graph(level: Rung) -> bool {
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
