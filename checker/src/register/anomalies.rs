//! Anomalies of registers that two or three operations prove by themselves.
//!
//! Both searches take O(n log n) for n operations and are sound for repeated values too: they name
//! an anomaly only where every write that could have made the value is ruled out.

use super::prepare::{Attempt, Observation, Register};
use crate::linearizable::ValueId;

/// An answer that shows a value which no write can have made: Adya's G1a and its relatives, with
/// which a history is corrupt.
#[derive(Clone, Copy)]
pub(crate) struct Corruption<'h> {
    pub seen: Observation<'h>,
    pub cause: Cause<'h>,
}

/// Why no write can have made the value.
#[derive(Clone, Copy)]
pub(crate) enum Cause<'h> {
    /// The write certainly failed.
    Aborted(Attempt<'h>),
    /// The write was invoked after the answer.
    Future(Attempt<'h>),
    /// Nobody ever tried to write it.
    Phantom,
}

/// An answer that shows a value although a newer one was acknowledged before the question.
#[derive(Clone, Copy)]
pub(crate) struct StaleRead<'h> {
    pub seen: Observation<'h>,
    pub settled: Settled<'h>,
    /// Invoked after the value that was seen had settled; of these the one acknowledged first.
    pub newer: Attempt<'h>,
}

/// The point after which no write can make a value current again.
#[derive(Clone, Copy)]
pub(crate) struct Settled<'h> {
    /// The first position after the point.
    pub after: u64,
    pub by: Settling<'h>,
}

/// How a value settled.
#[derive(Clone, Copy)]
pub(crate) enum Settling<'h> {
    /// It is the initial one.
    Initial,
    /// Every write of it was acknowledged: this one last, of so many.
    Acknowledged(Attempt<'h>, usize),
    /// The one write of it was never acknowledged, but this answer showed its effect.
    Seen(Attempt<'h>, Observation<'h>),
}

/// Every answer with a value that cannot have been there, in the order of invocation.
pub(crate) fn corruptions<'h>(register: &Register<'h>) -> Vec<Corruption<'h>> {
    let mut attempts: Vec<Vec<Attempt<'h>>> = vec![Vec::new(); register.values.len()];
    for attempt in &register.attempts {
        attempts[attempt.new.0 as usize].push(*attempt);
    }
    let cause = |seen: &Observation<'h>| {
        if seen.value == register.initial {
            return None;
        }
        let others = attempts[seen.value.0 as usize]
            .iter()
            .filter(|attempt| !std::ptr::eq(attempt.operation, seen.operation));
        let (mut aborted, mut future) = (None, None);
        for attempt in others {
            let began_before = attempt.operation.invoked.index < seen.completed;
            match (began_before, attempt.failed) {
                (true, false) => return None,
                (true, true) => aborted = aborted.or(Some(*attempt)),
                // Attempts come in the order of invocation: no possible source can follow.
                (false, _) => {
                    future = Some(*attempt);
                    break;
                }
            }
        }
        Some(match (aborted, future) {
            (Some(attempt), _) => Cause::Aborted(attempt),
            (None, Some(attempt)) => Cause::Future(attempt),
            (None, None) => Cause::Phantom,
        })
    };
    let seen = register.observations.iter();
    seen.filter_map(|seen| Some(Corruption { seen: *seen, cause: cause(seen)? })).collect()
}

/// Every stale read, in the order of invocation: it returns w while a write invoked after w
/// completed was acknowledged before the read began.
pub(crate) fn stale_reads<'h>(register: &Register<'h>) -> Vec<StaleRead<'h>> {
    let acknowledged: Vec<(u64, Attempt<'h>)> = register
        .attempts
        .iter()
        .filter_map(|attempt| Some((attempt.acknowledged?, *attempt)))
        .collect();
    // At each position: of the writes from there on the one that was acknowledged first.
    let mut first_from = acknowledged.clone();
    for at in (1..first_from.len()).rev() {
        if first_from[at].0 < first_from[at - 1].0 {
            first_from[at - 1] = first_from[at];
        }
    }
    let settled = settled_values(register);
    let stale = |seen: &Observation<'h>| {
        let settled = settled[seen.value.0 as usize]?;
        let from = acknowledged
            .partition_point(|(_, attempt)| attempt.operation.invoked.index < settled.after);
        let (acknowledged, newer) = *first_from.get(from)?;
        let stale = StaleRead { seen: *seen, settled, newer };
        (acknowledged < seen.invoked).then_some(stale)
    };
    register.observations.iter().filter_map(stale).collect()
}

/// For each value, by id, the point where it settled, if that is certain.
pub(crate) fn settled_values<'h>(register: &Register<'h>) -> Vec<Option<Settled<'h>>> {
    /// What is known of the writes that may have made a value.
    #[derive(Clone, Copy)]
    enum Writes<'h> {
        None,
        /// All acknowledged, this one last, of so many.
        Acknowledged(u64, Attempt<'h>, usize),
        /// One, which was not acknowledged.
        OneOpen(Attempt<'h>),
        Uncertain,
    }
    let mut writes = vec![Writes::None; register.values.len()];
    for attempt in register.possible_attempts() {
        let writes = &mut writes[attempt.new.0 as usize];
        *writes = match (*writes, attempt.acknowledged) {
            (Writes::None, None) => Writes::OneOpen(*attempt),
            (Writes::None, Some(at)) => Writes::Acknowledged(at, *attempt, 1),
            (Writes::Acknowledged(last, _, count), Some(at)) if at > last => {
                Writes::Acknowledged(at, *attempt, count + 1)
            }
            (Writes::Acknowledged(last, attempt, count), Some(_)) => {
                Writes::Acknowledged(last, attempt, count + 1)
            }
            _ => Writes::Uncertain,
        };
    }
    let mut first_seen: Vec<Option<Observation<'h>>> = vec![None; register.values.len()];
    for seen in &register.observations {
        let first = &mut first_seen[seen.value.0 as usize];
        if first.is_none_or(|first| seen.completed < first.completed) {
            *first = Some(*seen);
        }
    }
    let settled = |(id, writes): (usize, Writes<'h>)| {
        let is_initial = register.initial == ValueId(id as u32);
        match writes {
            Writes::None if is_initial => Some(Settled { after: 0, by: Settling::Initial }),
            Writes::Acknowledged(at, attempt, count) => {
                Some(Settled { after: at + 1, by: Settling::Acknowledged(attempt, count) })
            }
            Writes::OneOpen(attempt) if !is_initial => first_seen[id].map(|seen| Settled {
                after: seen.completed + 1,
                by: Settling::Seen(attempt, seen),
            }),
            _ => None,
        }
    };
    writes.into_iter().enumerate().map(settled).collect()
}
