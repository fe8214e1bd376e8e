//! The ladder of counters: `add`, and `read` of the sum.
//!
//! An answer does not say which adds it counts, only how many, so what was read from where is not known and rungs
//! that ask for that (causal, writes-follow-reads, ...) are not defined. Those that ask for sessions' orders are, with
//! the adds to one counter for the writes of one key (Terry et al. 1994; Lipton and Sandberg 1988): for each
//! session its reads and all adds have an order that keeps what the rung keeps, in which each read returns the
//! sum so far. Where nothing is taken away, that bounds the answers from below and from above:
//!
//! - read-your-writes: no less than the session itself had added;
//! - monotonic-reads, and monotonic-writes, whose adds may be exchanged: no less than the session read before;
//! - pram: what others added, which is what was read without what the session had added, never gets less;
//! - all of them: no more than everybody can have added.
//!
//! That is broken with any amounts, in O(n). Where each add is of 1 it is all, since any count between these bounds
//! is that of some adds; otherwise it is a question of which sums there are, and unknown. Monotonic-writes
//! and pram keep the order of a session's adds to several counters; where there are such, what is not broken
//! counter by counter is unknown. Sequential is found broken with what it implies, and not otherwise asked for.

mod tell;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::facts::Answer;
use super::rung::Rung;
use super::view::Conflict;
use super::{Climbed, Decided, climbed, decide};
use crate::history::{Completion, History, Operation};
use crate::verdict::Verdict;

/// Those that are defined, the strongest first.
pub(crate) const RUNGS: [Rung; 6] = [
    Rung::Linearizable,
    Rung::Sequential,
    Rung::Pram,
    Rung::MonotonicWrites,
    Rung::MonotonicReads,
    Rung::ReadYourWrites,
];

/// Decides the rungs of a history of counters, of `add` and `read` alone.
pub(crate) fn climb_counters(history: &History, linearizable: &Verdict) -> Climbed {
    let counters = Counters::of(history);
    let found = counters.decide(linearizable);
    let violations = tell::violations(history, &counters, &found);
    climbed(found, violations)
}

/// Something that happened, in the order of invocation.
#[derive(Clone, Copy, Debug)]
struct Event {
    session: u64,
    key: u32,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// `certain` if it was answered.
    Add {
        amount: i64,
        certain: bool,
    },
    Read(i64),
}

#[derive(Default)]
struct Counters<'h> {
    events: Vec<Event>,
    operations: Vec<&'h Operation>,
}

/// What a session has read of a counter.
#[derive(Clone, Copy)]
struct Seen {
    value: i128,
    /// What the session had added.
    own: i128,
    event: u32,
}

impl<'h> Counters<'h> {
    fn of(history: &'h History) -> Counters<'h> {
        let mut counters = Counters::default();
        for operation in history.operations() {
            let certain = operation.is_ok();
            let what = match operation.f() {
                "read" if certain => operation.result().as_i64().map(What::Read),
                "add" if operation.completion() != Completion::Fail => {
                    operation.argument().as_i64().map(|amount| What::Add { amount, certain })
                }
                _ => None,
            };
            if let Some(what) = what {
                let (session, key) = (operation.process, operation.key.0);
                counters.events.push(Event { session, key, what });
                counters.operations.push(operation);
            }
        }
        counters
    }

    fn decide(&self, linearizable: &Verdict) -> Vec<Decided> {
        let mut found = decide(|guarantee| {
            let rung = guarantee.rung();
            let (answer, how) = match rung {
                Rung::Linearizable => (Answer::known(linearizable), "counter by counter"),
                Rung::Sequential => {
                    let why = "one order for all sessions of a counter is not looked for";
                    (Answer::Unknown(why.to_owned()), "what it implies")
                }
                Rung::Pram
                | Rung::MonotonicWrites
                | Rung::MonotonicReads
                | Rung::ReadYourWrites => {
                    (self.ask(rung), "bounds of what each session can have read")
                }
                _ => return None,
            };
            Some((answer, how.to_owned()))
        });
        // What is linearizable holds those too that are not defined.
        found.retain(|one| RUNGS.contains(&one.rung));
        found
    }

    fn ask(&self, rung: Rung) -> Answer {
        if self.adds().any(|(_, amount)| amount < 0) {
            return Answer::Unknown("something was taken away, so there are no bounds".to_owned());
        }
        if let Some(nodes) = self.out_of_bounds(rung) {
            return Answer::Invalid(Conflict { nodes });
        }
        if self.adds().any(|(_, amount)| amount > 1) {
            return Answer::Unknown(
                "more than 1 was added at once, and whether some of the adds make up what was read is not asked"
                    .to_owned(),
            );
        }
        if matches!(rung, Rung::Pram | Rung::MonotonicWrites) && self.adds_to_several() {
            return Answer::Unknown(
                "a session added to several counters, and their order is not looked at".to_owned(),
            );
        }
        Answer::Valid
    }

    fn adds(&self) -> impl Iterator<Item = (&Event, i64)> {
        self.events.iter().filter_map(|event| match event.what {
            What::Add { amount, .. } => Some((event, amount)),
            What::Read(_) => None,
        })
    }

    fn adds_to_several(&self) -> bool {
        let mut key_of = BTreeMap::new();
        let mut counts = self.adds().filter(|(_, amount)| *amount != 0);
        counts.any(|(event, _)| *key_of.entry(event.session).or_insert(event.key) != event.key)
    }

    /// Events that no order of a session explains which keeps what the rung keeps, a read the last.
    fn out_of_bounds(&self, rung: Rung) -> Option<Vec<u32>> {
        // By counter, and by session and counter: all that can have been added.
        let mut all: BTreeMap<u32, i128> = BTreeMap::new();
        let mut own: BTreeMap<(u64, u32), i128> = BTreeMap::new();
        for (event, amount) in self.adds() {
            *all.entry(event.key).or_default() += i128::from(amount);
            *own.entry((event.session, event.key)).or_default() += i128::from(amount);
        }
        let mut added: BTreeMap<(u64, u32), i128> = BTreeMap::new();
        let mut last: BTreeMap<(u64, u32), Seen> = BTreeMap::new();
        for (event, at) in self.events.iter().zip(0_u32..) {
            let place = (event.session, event.key);
            let added = added.entry(place).or_default();
            let value = match event.what {
                What::Read(value) => i128::from(value),
                What::Add { amount, certain } => {
                    *added += if certain { i128::from(amount) } else { 0 };
                    continue;
                }
            };
            let most = all.get(&event.key).copied().unwrap_or(0);
            let of_others = most - own.get(&place).copied().unwrap_or(0);
            let before = last.insert(place, Seen { value, own: *added, event: at });
            let is_less = |now: i128, then: fn(&Seen) -> i128| {
                before.filter(|before| now < then(before)).map(|before| before.event)
            };
            let broken = match rung {
                _ if value < 0 || value > most => Some(vec![at]),
                Rung::ReadYourWrites => (value < *added).then(|| vec![at]),
                Rung::Pram if value < *added || value - *added > of_others => Some(vec![at]),
                Rung::Pram => is_less(value - *added, |seen| seen.value - seen.own)
                    .map(|before| vec![before, at]),
                _ => is_less(value, |seen| seen.value).map(|before| vec![before, at]),
            };
            if broken.is_some() {
                return broken;
            }
        }
        None
    }
}
