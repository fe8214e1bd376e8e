//! Anomalies of registers that two or three operations prove by themselves.
//!
//! Both searches take O(n log n) for n operations and are sound for repeated values too: they name
//! an anomaly only where every write that could have made the value is ruled out.

use rustc_hash::FxHashMap;

use super::prepare::{Attempt, Observation, Register};
use super::settled::{Settled, SettledValues};
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

/// Every answer with a value that cannot have been there, in the order of invocation.
pub(crate) fn corruptions<'h>(register: &Register<'h>) -> Vec<Corruption<'h>> {
    // For each value where its first write began that may have happened: that explains nearly every
    // answer.
    let mut first_began = vec![u64::MAX; register.values.len()];
    for attempt in register.possible_attempts() {
        let first = &mut first_began[attempt.new.0 as usize];
        *first = attempt.invoked.min(*first);
    }
    let is_suspect = |seen: &&Observation<'h>| {
        let began = first_began[seen.value.0 as usize];
        // A compare-and-set cannot have made the value that it found.
        seen.value != register.initial && (began >= seen.completed || began == seen.invoked)
    };
    let suspects: Vec<&Observation<'h>> = register.observations.iter().filter(is_suspect).collect();
    let mut attempts: FxHashMap<ValueId, Vec<Attempt<'h>>> =
        suspects.iter().map(|seen| (seen.value, Vec::new())).collect();
    if !suspects.is_empty() {
        for attempt in &register.attempts {
            if let Some(attempts) = attempts.get_mut(&attempt.new) {
                attempts.push(*attempt);
            }
        }
    }
    let corruption = |seen: &Observation<'h>| {
        let cause = cause(seen, &attempts[&seen.value])?;
        Some(Corruption { seen: *seen, cause })
    };
    suspects.into_iter().filter_map(corruption).collect()
}

/// Why none of the attempts to write a value, in the order of invocation, can have made an answer.
fn cause<'h>(seen: &Observation<'h>, attempts: &[Attempt<'h>]) -> Option<Cause<'h>> {
    let (mut aborted, mut future) = (None, None);
    for attempt in attempts.iter().filter(|attempt| attempt.invoked != seen.invoked) {
        let began_before = attempt.invoked < seen.completed;
        match (began_before, attempt.failed) {
            (true, false) => return None,
            (true, true) => aborted = aborted.or(Some(*attempt)),
            // No possible source can follow.
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
}

/// Every stale read, in the order of invocation: it returns w while a write invoked after w
/// completed was acknowledged before the read began.
pub(crate) fn stale_reads<'h>(register: &Register<'h>) -> Vec<StaleRead<'h>> {
    let attempts = &register.attempts;
    // At each position: of the writes from there on the one that was acknowledged first.
    let mut first_from = vec![None; attempts.len() + 1];
    for (at, attempt) in attempts.iter().enumerate().rev() {
        first_from[at] = match (attempt.acknowledged, first_from[at + 1]) {
            (Some(at_ack), Some((first, _))) if first < at_ack => first_from[at + 1],
            (Some(at_ack), _) => Some((at_ack, at as u32)),
            (None, first) => first,
        };
    }
    let settled = SettledValues::of(register);
    // Writes that began before the read: those that matter are among the last of them.
    let mut begun = 0;
    let stale = |seen: &Observation<'h>| {
        while attempts.get(begun).is_some_and(|attempt| attempt.invoked < seen.invoked) {
            begun += 1;
        }
        let after = settled.after(seen.value)?;
        let from = partition_point_from_end(&attempts[..begun], |write| write.invoked < after);
        let (acknowledged, newer) = first_from[from]?;
        if acknowledged >= seen.invoked {
            return None;
        }
        let settled = settled.get(seen.value)?;
        Some(StaleRead { seen: *seen, settled, newer: attempts[newer as usize] })
    };
    register.observations.iter().filter_map(stale).collect()
}

/// As [`slice::partition_point`], faster the nearer to the end the point is.
fn partition_point_from_end<T>(sorted: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    let mut step = 1;
    while step < sorted.len() && !is_before(&sorted[sorted.len() - step]) {
        step *= 2;
    }
    let from = sorted.len().saturating_sub(step);
    from + sorted[from..].partition_point(is_before)
}
