//! What a history does wrong, with the operations that prove it.

use serde::Serialize;

use crate::history::{History, KeyId, Operation};
use crate::ladder::{Rung, rungs_of_registers};
use crate::reached::Reached;
use crate::register::{Cause, Corruption, LostWrite, Register, Settled, Settling, StaleRead};
use crate::tell::{Seconds, Teller};

/// An anomaly by its name in the literature, shown by its smallest instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// `stale-read`, `aborted-read`, `lost-write`, ...
    pub name: &'static str,
    /// The key; absent in a history without keys.
    pub key: Option<String>,
    /// The invocations, by index, of the operations that prove it.
    pub witness: Vec<u64>,
    /// The argument, one sentence for each of its steps.
    pub because: Vec<String>,
    /// How many of this name the history holds: for `non-linearizable` and `not-converged` keys,
    /// else operations. Always 1 for a broken rung: the ladder asks whether, not how often, and the first
    /// session that breaks it is enough.
    pub count: u64,
    /// How far the witness can be explained, where that takes more than to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// The pattern of a broken rung, in the words of its literature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<&'static str>,
    /// Why each transaction of the witness comes before the next one, and the last before the first, if they
    /// are a cycle: `ww`, `wr`, `rw` (Adya 1999), `process` or `realtime`. Then the argument has a sentence
    /// for each transaction, and one for each of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<&'static str>,
    /// The rungs that these operations rule out by themselves, the strongest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules_out: Vec<Rung>,
}

/// The names, the gravest first; [`Anomaly::rank`] is the position.
const NAMES: [&str; 7] = [
    "phantom-read",
    "aborted-read",
    "read-from-the-future",
    "lost-write",
    "not-converged",
    "stale-read",
    "non-linearizable",
];

/// One instance of an anomaly.
#[derive(Clone)]
pub(crate) enum Anomaly<'h> {
    Corrupt(Corruption<'h>),
    Stale(StaleRead<'h>),
    NonLinearizable(Vec<&'h Operation>),
    Lost(LostWrite<'h>, &'h Operation),
    NotConverged(&'h Operation, &'h Operation),
}

impl<'h> Anomaly<'h> {
    fn rank(&self) -> usize {
        match self {
            Anomaly::Corrupt(Corruption { cause: Cause::Phantom, .. }) => 0,
            Anomaly::Corrupt(Corruption { cause: Cause::Aborted(_), .. }) => 1,
            Anomaly::Corrupt(Corruption { cause: Cause::Future(_), .. }) => 2,
            Anomaly::Lost(..) => 3,
            Anomaly::NotConverged(..) => 4,
            Anomaly::Stale(_) => 5,
            Anomaly::NonLinearizable(_) => 6,
        }
    }

    /// A value from nowhere is nowhere right; the others depend on what really came first, or on
    /// agreement in the end.
    fn rules_out(&self) -> Vec<Rung> {
        match self {
            Anomaly::Corrupt(Corruption { cause: Cause::Phantom | Cause::Aborted(_), .. }) => {
                rungs_of_registers().filter(|rung| *rung != Rung::Converged).collect()
            }
            Anomaly::Corrupt(_) | Anomaly::Stale(_) | Anomaly::NonLinearizable(_) => {
                vec![Rung::Linearizable]
            }
            Anomaly::NotConverged(..) => vec![Rung::Converged],
            Anomaly::Lost(..) => Vec::new(),
        }
    }

    /// The operations that prove it, in the order of the argument.
    pub fn witness(&self) -> Vec<&'h Operation> {
        let settling = |settled: &Settled<'h>| match settled.by {
            Settling::Initial => vec![],
            Settling::Acknowledged(write, _) => vec![write.operation],
            Settling::Seen(write, seen) => vec![write.operation, seen.operation],
        };
        match self {
            Anomaly::Corrupt(Corruption { seen, cause }) => match cause {
                Cause::Aborted(write) | Cause::Future(write) => {
                    vec![write.operation, seen.operation]
                }
                Cause::Phantom => vec![seen.operation],
            },
            Anomaly::Stale(stale) => {
                let mut witness = settling(&stale.settled);
                witness.extend([stale.newer.operation, stale.seen.operation]);
                witness
            }
            Anomaly::NonLinearizable(operations) => operations.clone(),
            Anomaly::Lost(loss, read) => {
                let mut witness = settling(&loss.settled);
                witness.extend([loss.lost.operation, read]);
                witness
            }
            Anomaly::NotConverged(one, other) => vec![one, other],
        }
    }

    fn because(&self, teller: Teller<'h>, register: &Register<'h>) -> Vec<String> {
        let tell = |operation: &Operation| teller.clause(operation);
        match self {
            Anomaly::Corrupt(Corruption { seen, cause }) => {
                let saw = tell(seen.operation);
                let value = register.value(seen.value);
                match cause {
                    Cause::Aborted(write) => {
                        vec![
                            tell(write.operation),
                            format!("{saw}, but no other write of {value} had begun"),
                        ]
                    }
                    Cause::Future(write) => vec![
                        saw,
                        format!("{}, which was the first write of {value}", tell(write.operation)),
                    ],
                    Cause::Phantom => {
                        vec![format!("{saw}, but nobody ever tried to write {value}")]
                    }
                }
            }
            Anomaly::Stale(StaleRead { seen, settled, newer }) => {
                let mut because = how_it_settled(teller, register, settled);
                let acknowledged_ns = newer.operation.completed().map_or(0, |at| at.time_ns);
                let age_ns = seen.operation.invoked.time_ns.saturating_sub(acknowledged_ns);
                because.push(format!("after that, {}", tell(newer.operation)));
                because.push(format!(
                    "{}, but {} had been acknowledged {} before this began",
                    tell(seen.operation),
                    register.value(newer.new),
                    Seconds(age_ns)
                ));
                because
            }
            Anomaly::NonLinearizable(operations) => {
                let mut because: Vec<String> = operations.iter().map(|o| tell(o)).collect();
                because.push(format!(
                    "the register began as {}, and no order of these {} operations, each at some \
                     moment of its interval, explains every answer",
                    register.value(register.initial),
                    operations.len()
                ));
                because
            }
            Anomaly::Lost(loss, read) => {
                let mut because = how_it_settled(teller, register, &loss.settled);
                because.push(format!("after that, {}", tell(loss.lost.operation)));
                because.push(format!(
                    "{}, and so did every other node in the end: {} is gone",
                    tell(read),
                    register.value(loss.lost.new)
                ));
                because
            }
            Anomaly::NotConverged(one, other) => {
                vec![tell(one), format!("{}, in the same last round of final reads", tell(other))]
            }
        }
    }
}

fn how_it_settled<'h>(
    teller: Teller<'h>,
    register: &Register<'h>,
    settled: &Settled<'h>,
) -> Vec<String> {
    match settled.by {
        Settling::Initial => {
            vec![format!("the register began as {}", register.value(register.initial))]
        }
        Settling::Acknowledged(write, 1) => vec![teller.clause(write.operation)],
        Settling::Acknowledged(write, count) => vec![format!(
            "{}, the last of {count} writes of {} to end",
            teller.clause(write.operation),
            register.value(write.new)
        )],
        Settling::Seen(write, seen) => vec![
            teller.clause(write.operation),
            format!("it had happened by the end of this: {}", teller.clause(seen.operation)),
        ],
    }
}

/// The anomalies of all keys, one violation for each name with its smallest instance: the one of
/// the fewest operations, and of these the first.
#[derive(Default)]
pub(crate) struct Violations<'h> {
    found: Vec<Found<'h>>,
}

struct Found<'h> {
    key: KeyId,
    smallest: Anomaly<'h>,
    size: (usize, u64),
    count: u64,
}

impl<'h> Violations<'h> {
    pub fn add(&mut self, key: KeyId, anomaly: Anomaly<'h>) {
        let witness = anomaly.witness();
        let last = witness.iter().map(|operation| operation.invoked.index).max();
        let size = (witness.len(), last.unwrap_or(0));
        match self.found.iter_mut().find(|found| found.smallest.rank() == anomaly.rank()) {
            None => self.found.push(Found { key, smallest: anomaly, size, count: 1 }),
            Some(found) => {
                found.count += 1;
                if size < found.size {
                    *found = Found { key, smallest: anomaly, size, count: found.count };
                }
            }
        }
    }

    /// Writes them out, the gravest first.
    pub fn tell(mut self, history: &'h History, registers: &[Register<'h>]) -> Vec<Violation> {
        self.found.sort_by_key(|found| found.smallest.rank());
        let teller = Teller { history };
        let tell = |found: Found<'h>| {
            let register = &registers[found.key.0 as usize];
            let reached = match &found.smallest {
                Anomaly::NonLinearizable(operations) => {
                    Reached::of(register.value(register.initial), operations)
                }
                _ => None,
            };
            let mut because = found.smallest.because(teller, register);
            because.extend(reached.as_ref().and_then(Reached::sentence));
            Violation {
                name: NAMES[found.smallest.rank()],
                key: history[found.key].clone(),
                witness: found.smallest.witness().iter().map(|o| o.invoked.index).collect(),
                because,
                count: found.count,
                reached,
                shape: None,
                dependencies: Vec::new(),
                rules_out: found.smallest.rules_out(),
            }
        };
        self.found.into_iter().map(tell).collect()
    }
}
