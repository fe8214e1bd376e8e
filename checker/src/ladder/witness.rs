//! Few operations that break a rung by themselves.

use super::facts::Facts;
use super::rungs::Guarantee;
use super::sessions::{INITIAL, Kept, Kind, Sessions};
use super::view::Conflict;
use crate::reduce::reduce;

/// Operations that are checked again while a witness is made small; some seconds.
const CHECKED: u64 = 1 << 25;

/// Takes operations around a conflict, more and more, until they break the rung by themselves, and then
/// all that is not needed for that out of them.
pub(crate) fn minimal(rung: &dyn Guarantee, sessions: &Sessions, conflict: &Conflict) -> Kept {
    let operation = |node: &u32| sessions[*node].operation;
    let first = conflict.nodes.iter().map(operation).min().unwrap_or(0);
    let last = conflict.nodes.iter().map(operation).max().unwrap_or(0);
    let all = sessions.accesses.last().map_or(0, |access| access.operation + 1);
    let mut more = 0;
    let found = loop {
        let (from, to) = (first.saturating_sub(more), all.min(last.saturating_add(1 + more)));
        let found = sessions.only(&with_sources(sessions, from, to));
        if to - from == all || breaks(rung, &found.sessions) {
            break found;
        }
        more = if more == 0 { 8 } else { more * 4 };
    };
    let mut left = CHECKED;
    let kept = reduce(found.operations.clone(), |operations| {
        left = left.checked_sub(found.operations.len() as u64)?;
        let kept = sessions.only(operations);
        Some(breaks(rung, &kept.sessions))
    });
    sessions.only(&kept)
}

pub(crate) fn breaks(rung: &dyn Guarantee, sessions: &Sessions) -> bool {
    rung.decide(&Facts::of(sessions)).is_invalid()
}

/// The operations of a span, and those that they read from, and so on.
pub(crate) fn with_sources(sessions: &Sessions, from: u32, to: u32) -> Vec<u32> {
    let mut found: Vec<u32> = (from..to).collect();
    let mut at = 0;
    let mut outside = rustc_hash::FxHashSet::default();
    while at < found.len() {
        let operation = found[at];
        let first = sessions.accesses.partition_point(|access| access.operation < operation);
        for access in sessions.accesses[first..].iter().take_while(|a| a.operation == operation) {
            if let Kind::Read { from: source } = access.kind
                && source != INITIAL
                && !(from..to).contains(&source)
                && outside.insert(source)
            {
                found.push(source);
            }
        }
        at += 1;
    }
    found.sort_unstable();
    found
}
