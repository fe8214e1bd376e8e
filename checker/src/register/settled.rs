//! The point after which no write can make a value current again.

use super::prepare::{Attempt, Observation, Register};
use crate::linearizable::ValueId;

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

/// Where the values of a register settled.
pub(crate) struct SettledValues<'r, 'h> {
    register: &'r Register<'h>,
    /// By [`ValueId`].
    writes: Vec<Writes>,
}

/// What is known of the writes that may have made a value; numbers are positions in the register's
/// attempts and observations.
#[derive(Clone, Copy)]
enum Writes {
    None,
    /// All acknowledged, of so many this one last and at this position.
    Acknowledged {
        last: u32,
        at: u64,
        count: u32,
    },
    /// One, which was not acknowledged, and the first answer to end that showed its effect.
    OneOpen {
        attempt: u32,
        seen: Option<u32>,
    },
    Uncertain,
}

impl<'r, 'h> SettledValues<'r, 'h> {
    /// Goes through all operations once.
    pub fn of(register: &'r Register<'h>) -> SettledValues<'r, 'h> {
        let mut all = vec![Writes::None; register.values.len()];
        for (attempt, number) in register.attempts.iter().zip(0_u32..) {
            if attempt.failed {
                continue;
            }
            let writes = &mut all[attempt.new.0 as usize];
            *writes = match (*writes, attempt.acknowledged) {
                (Writes::None, None) => Writes::OneOpen { attempt: number, seen: None },
                (Writes::None, Some(at)) => Writes::Acknowledged { last: number, at, count: 1 },
                (Writes::Acknowledged { at: last_at, count, .. }, Some(at)) if at > last_at => {
                    Writes::Acknowledged { last: number, at, count: count + 1 }
                }
                (Writes::Acknowledged { last, at, count }, Some(_)) => {
                    Writes::Acknowledged { last, at, count: count + 1 }
                }
                _ => Writes::Uncertain,
            };
        }
        for (seen, number) in register.observations.iter().zip(0_u32..) {
            if let Writes::OneOpen { seen: first, .. } = &mut all[seen.value.0 as usize] {
                let completed = |at: u32| register.observations[at as usize].completed;
                if first.is_none_or(|first| seen.completed < completed(first)) {
                    *first = Some(number);
                }
            }
        }
        SettledValues { register, writes: all }
    }

    /// The first position after the point, if that is certain.
    pub fn after(&self, value: ValueId) -> Option<u64> {
        let is_initial = self.register.initial == value;
        match self.writes[value.0 as usize] {
            Writes::None => is_initial.then_some(0),
            Writes::Acknowledged { at, .. } => Some(at + 1),
            Writes::OneOpen { seen: Some(seen), .. } if !is_initial => {
                Some(self.register.observations[seen as usize].completed + 1)
            }
            Writes::OneOpen { .. } | Writes::Uncertain => None,
        }
    }

    /// The point and its proof, if it is certain.
    pub fn get(&self, value: ValueId) -> Option<Settled<'h>> {
        let after = self.after(value)?;
        let attempt = |at: u32| self.register.attempts[at as usize];
        let by = match self.writes[value.0 as usize] {
            Writes::Acknowledged { last, count, .. } => {
                Settling::Acknowledged(attempt(last), count as usize)
            }
            Writes::OneOpen { attempt: open, seen: Some(seen) } => {
                Settling::Seen(attempt(open), self.register.observations[seen as usize])
            }
            _ => Settling::Initial,
        };
        Some(Settled { after, by })
    }
}
