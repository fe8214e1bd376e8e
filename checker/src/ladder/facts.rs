//! What several rungs ask of one history, found once.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::glance::legal;
use super::kept::Kept;
use super::order::{Cycle, Order, topological};
use super::rungs::causal::Causal;
use super::rungs::weak_causal::Past;
use super::rungs::{causal_convergence, weak_causal};
use super::sessions::Sessions;
use super::spans::{operations, part};
use super::view::{Conflict, Exhausted, View};
use crate::verdict::Verdict;

/// What a rung says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Valid,
    Invalid(Conflict),
    Unknown(String),
}

impl Answer {
    /// What was found elsewhere, where its witness is told.
    pub fn known(verdict: &Verdict) -> Answer {
        match verdict {
            Verdict::Valid => Answer::Valid,
            Verdict::Invalid => Answer::Invalid(Conflict { nodes: Vec::new() }),
            Verdict::Unknown { reason } => Answer::Unknown(reason.clone()),
        }
    }

    pub fn is_invalid(&self) -> bool {
        matches!(self, Answer::Invalid(_))
    }
}

/// What is known of a history.
pub(crate) struct Facts<'s> {
    pub sessions: &'s Sessions,
    /// Decided from what really came first, and not here.
    pub linearizable: Verdict,
    /// Decided from the final reads.
    pub converged: Verdict,
    causal_order: OnceLock<Result<Order, Cycle>>,
    convergent_order: OnceLock<Result<Result<Order, Conflict>, Exhausted>>,
    causal: OnceLock<Answer>,
    past: OnceLock<Result<Past, Exhausted>>,
}

/// Operations of a part that is asked before the whole.
const SPAN: u32 = 1 << 12;

/// Nodes that all sessions' views together may visit for one rung: a second or two. Each has an equal part, so that the
/// answer does not depend on which was first.
const VISITS: u64 = 1 << 28;

impl<'s> Facts<'s> {
    pub fn new(sessions: &'s Sessions, linearizable: Verdict, converged: Verdict) -> Facts<'s> {
        Facts {
            sessions,
            linearizable,
            converged,
            causal_order: OnceLock::new(),
            convergent_order: OnceLock::new(),
            causal: OnceLock::new(),
            past: OnceLock::new(),
        }
    }

    /// Where only the order of sessions and what they read is asked for.
    pub fn of(sessions: &'s Sessions) -> Facts<'s> {
        let not_asked = || Verdict::unknown("not asked for");
        Facts::new(sessions, not_asked(), not_asked())
    }

    /// An order of all operations that keeps session order and reads-from.
    pub fn causal_order(&self) -> Result<&Order, &Cycle> {
        self.causal_order.get_or_init(|| topological(self.sessions, Causal, 0, None)).as_ref()
    }

    /// An order that also keeps which of two writes each session saw last.
    pub fn convergent_order(&self) -> Result<Result<&Order, &Conflict>, Exhausted> {
        let found = self.convergent_order.get_or_init(|| causal_convergence::order(self));
        found.as_ref().map(Result::as_ref).map_err(|exhausted| *exhausted)
    }

    /// Whether it is causal memory, which implies weak causality.
    pub fn causal(&self) -> &Answer {
        self.causal.get_or_init(|| match self.past() {
            Ok(Past::Broken(conflict)) => Answer::Invalid(conflict.clone()),
            _ => self.each_session(Causal),
        })
    }

    /// What reads return of the writes causally before them.
    pub fn past(&self) -> Result<&Past, Exhausted> {
        self.past.get_or_init(|| weak_causal::past(self)).as_ref().map_err(|exhausted| *exhausted)
    }

    /// The nodes that one session's view may visit.
    pub fn visits(&self) -> u64 {
        VISITS / self.sessions.sessions().max(1) as u64
    }

    /// Asks each session, in parallel; the first conflict in the order of sessions counts.
    pub fn ask_all<T: Send>(
        &self,
        ask: impl Fn(&mut View<'s>, u32) -> Option<T> + Sync,
    ) -> Option<T> {
        (0..self.sessions.sessions() as u32)
            .into_par_iter()
            .map_init(|| View::new(self.sessions), |view, reader| ask(view, reader))
            .find_map_first(|found| found)
    }

    /// Whether each session's reads and all writes have a legal serialization that keeps what `kept` says,
    /// no more than session order and reads-from.
    pub fn each_session(&self, kept: impl Kept) -> Answer {
        let shared = match self.convergent_order.get() {
            Some(Ok(Ok(order))) => Some(order),
            _ => self.causal_order().ok(),
        };
        let visits = self.visits();
        let legal = shared.map(|order| legal(self.sessions, kept, order));
        let is_legal = |reader: u32| legal.as_ref().is_some_and(|legal| legal[reader as usize]);
        let all = operations(self.sessions);
        let settled = legal.as_ref().is_some_and(|legal| legal.iter().all(|legal| *legal));
        if settled {
            return Answer::Valid;
        }
        if all > 4 * SPAN
            && let Some(nodes) = self.broken_part(kept, all)
        {
            return Answer::Invalid(Conflict { nodes });
        }
        let found = self.ask_all(|view, reader| {
            if is_legal(reader) {
                return None;
            }
            let own;
            let order = match shared {
                Some(order) => order,
                None => match topological(self.sessions, kept, reader, None) {
                    Ok(order) => {
                        own = order;
                        &own
                    }
                    Err(nodes) => return Some(Answer::Invalid(Conflict { nodes })),
                },
            };
            match view.rank(kept, reader, order, visits) {
                Err(Exhausted) => Some(self.exhausted()),
                Ok(()) => view.serialize(kept, reader, order).err().map(Answer::Invalid),
            }
        });
        found.unwrap_or(Answer::Valid)
    }

    /// What is broken is mostly broken soon, and where something else is.
    fn broken_part(&self, kept: impl Kept, all: u32) -> Option<Vec<u32>> {
        let mut spans = vec![(0, SPAN)];
        if let Some(Ok(Past::Broken(conflict))) = self.past.get() {
            let operation = |node: &u32| self.sessions[*node].operation;
            let first = conflict.nodes.iter().map(operation).min().unwrap_or(0);
            let last = conflict.nodes.iter().map(operation).max().unwrap_or(0);
            let around = |more: u32| (first.saturating_sub(more), all.min(last + more));
            spans.extend([SPAN / 8, SPAN / 2].map(around));
        }
        spans.into_iter().filter(|(from, to)| to - from <= 2 * SPAN).find_map(|(from, to)| {
            let part = part(self.sessions, from, to);
            match Facts::of(&part.sessions).each_session(kept) {
                Answer::Invalid(conflict) => Some(part.nodes(self.sessions, &conflict.nodes)),
                _ => None,
            }
        })
    }

    pub fn exhausted(&self) -> Answer {
        Answer::Unknown(format!(
            "budget: what {} sessions saw takes more than {VISITS} steps",
            self.sessions.sessions()
        ))
    }
}
