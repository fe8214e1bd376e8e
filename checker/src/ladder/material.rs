//! From registers to what their sessions did.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::sessions::{Access, INITIAL, Kind, Sessions};
use crate::history::{History, Operation};
use crate::linearizable::ValueId;
use crate::register::{Attempt, Register};

/// What a history says to all rungs but linearizability.
///
/// What failed did not happen. What may have happened did if something that happened read it, and else it
/// is left out: it was the last of its session, and an order that explains all answers does so without
/// it. A read is left out if its value was written more than once, since nobody knows from where it is.
pub(crate) struct Material<'h> {
    pub sessions: Sessions,
    /// By the numbers of [`Access::operation`].
    pub operations: Vec<&'h Operation>,
    /// Some answer shows a value that nothing which may have happened has written; it is left out.
    pub thin_air: bool,
    /// A compare-and-set that was never answered, and what shows that it happened, although nothing can have
    /// written what it must have found. (If the answer itself is from nowhere, that is shown elsewhere.)
    pub impossible: Option<Vec<&'h Operation>>,
    /// Why what is found valid is not certain.
    pub doubt: Option<String>,
}

/// Where a value may be from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Nowhere,
    Initial,
    /// The attempt of this position.
    Attempt(u32),
    Several,
}

/// What one register adds, its operations by the positions of their invocations.
#[derive(Default)]
struct Part<'h> {
    /// Position, operation and what it is; the position of what was read from.
    accesses: Vec<(u64, &'h Operation, Seen)>,
    thin_air: bool,
    impossible: Option<Vec<&'h Operation>>,
    doubt: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Write { tentative: bool },
    Initial,
    From(u64),
}

impl<'h> Material<'h> {
    pub fn of(history: &History, registers: &[Register<'h>]) -> Material<'h> {
        let parts: Vec<Part<'h>> =
            registers.par_iter().map(|register| Part::of(history, register)).collect();
        let total = parts.iter().map(|part| part.accesses.len()).sum();
        let mut all = Vec::with_capacity(total);
        let (mut thin_air, mut impossible, mut doubt) = (false, None, None);
        for (part, key) in parts.into_iter().zip(0_u32..) {
            thin_air |= part.thin_air;
            impossible = impossible.or(part.impossible);
            doubt = doubt.or(part.doubt);
            all.extend(
                part.accesses.into_iter().map(|(at, operation, seen)| (at, operation, seen, key)),
            );
        }
        // Stable, so that a compare-and-set reads before it writes.
        all.par_sort_by_key(|(at, ..)| *at);
        let mut positions: Vec<u64> = Vec::new();
        let mut operations = Vec::new();
        for (at, operation, ..) in &all {
            if positions.last() != Some(at) {
                positions.push(*at);
                operations.push(*operation);
            }
        }
        let mut sessions = FxHashMap::default();
        let mut number = 0;
        let accesses = all.into_iter().map(|(at, operation, seen, key)| {
            if positions[number] != at {
                number += 1;
            }
            let next = sessions.len() as u32;
            let session = *sessions.entry(operation.process).or_insert(next);
            let kind = match seen {
                Seen::Write { tentative } => Kind::Write { tentative },
                Seen::Initial => Kind::Read { from: INITIAL },
                Seen::From(at) => {
                    Kind::Read { from: positions.partition_point(|one| *one < at) as u32 }
                }
            };
            Access { session, key, operation: number as u32, kind }
        });
        let sessions = Sessions::new(accesses.collect());
        Material { sessions, operations, thin_air, impossible, doubt }
    }
}

impl<'h> Part<'h> {
    fn of(history: &History, register: &Register<'h>) -> Part<'h> {
        let mut origins = vec![Origin::Nowhere; register.values.len()];
        origins[register.initial.0 as usize] = Origin::Initial;
        for (attempt, at) in register.attempts.iter().zip(0_u32..) {
            if !attempt.failed {
                let origin = &mut origins[attempt.new.0 as usize];
                *origin = match *origin {
                    Origin::Nowhere => Origin::Attempt(at),
                    _ => Origin::Several,
                };
            }
        }
        let mut part = Part::default();
        let happened_at = happened(register, &origins);
        let add_read = |part: &mut Part<'h>, at: u64, operation: &'h Operation, value: ValueId| {
            let seen = match origins[value.0 as usize] {
                Origin::Attempt(source) if register.attempts[source as usize].invoked == at => {
                    // A compare-and-set cannot have made what it found.
                    part.thin_air = true;
                    return;
                }
                Origin::Nowhere => {
                    part.thin_air = true;
                    return;
                }
                Origin::Several => {
                    part.doubt.get_or_insert_with(|| ambiguous(history, register, value));
                    return;
                }
                Origin::Initial => Seen::Initial,
                Origin::Attempt(source) => Seen::From(register.attempts[source as usize].invoked),
            };
            part.accesses.push((at, operation, seen));
        };
        for seen in &register.observations {
            add_read(&mut part, seen.invoked, seen.operation, seen.value);
        }
        for (attempt, happened) in register.attempts.iter().zip(&happened_at) {
            if !happened {
                continue;
            }
            let tentative = attempt.acknowledged.is_none();
            // Without an answer it has found the old value all the same.
            if let (true, Some(old)) = (tentative, attempt.old) {
                let before = std::mem::take(&mut part.thin_air);
                add_read(&mut part, attempt.invoked, attempt.operation, old);
                if part.thin_air && part.impossible.is_none() {
                    part.impossible = Some(shown_by(register, &happened_at, attempt));
                }
                part.thin_air |= before;
            }
            part.accesses.push((attempt.invoked, attempt.operation, Seen::Write { tentative }));
        }
        part
    }
}

/// For each attempt whether it certainly happened: it was acknowledged, or it alone can have written what
/// something that happened has read.
fn happened(register: &Register<'_>, origins: &[Origin]) -> Vec<bool> {
    let attempts: &[Attempt<'_>] = &register.attempts;
    let mut happened: Vec<bool> =
        attempts.iter().map(|attempt| attempt.acknowledged.is_some()).collect();
    let mut seen: Vec<ValueId> = register.observations.iter().map(|seen| seen.value).collect();
    while let Some(value) = seen.pop() {
        if let Origin::Attempt(at) = origins[value.0 as usize]
            && !std::mem::replace(&mut happened[at as usize], true)
        {
            seen.extend(attempts[at as usize].old);
        }
    }
    happened
}

/// A compare-and-set that happened without an answer, and the others that show that, down to an answer.
fn shown_by<'h>(
    register: &Register<'h>,
    happened: &[bool],
    attempt: &Attempt<'h>,
) -> Vec<&'h Operation> {
    let mut shown = vec![attempt.operation];
    let mut value = attempt.new;
    loop {
        if let Some(seen) = register.observations.iter().find(|seen| seen.value == value) {
            shown.push(seen.operation);
            return shown;
        }
        let found = |(attempt, happened): &(&Attempt<'h>, &bool)| {
            **happened
                && attempt.old == Some(value)
                && !shown.iter().any(|one| std::ptr::eq(*one, attempt.operation))
        };
        match register.attempts.iter().zip(happened).find(found) {
            Some((next, _)) => {
                shown.push(next.operation);
                value = next.new;
            }
            None => return shown,
        }
    }
}

fn ambiguous(history: &History, register: &Register<'_>, value: ValueId) -> String {
    let key = history[register.key].as_deref();
    let key = key.map_or(String::new(), |key| format!(" of key {key}"));
    format!(
        "it is not known which write of {}{key} was read: there are several",
        register.value(value)
    )
}
