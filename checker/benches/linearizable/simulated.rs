//! Histories of a simulated linearizable register: each operation takes effect at a hidden moment
//! between its invocation and its completion, so the history is linearizable by construction.

use super::{Call, RegisterOp, ValueId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What to simulate.
#[derive(Clone, Copy)]
pub struct Simulation {
    /// Operations that are invoked; compare-and-sets that fail are then left out of the history.
    pub operations: usize,
    /// Clients, nearly always busy.
    pub clients: usize,
    /// Number of values of a register with reads, writes and compare-and-set; `None` for a
    /// register with reads and writes of unique values.
    pub values: Option<u32>,
    /// Share of the operations whose outcome stays unknown, half of which take no effect.
    pub crashes: f64,
    pub seed: u64,
}

/// A simulated history; the initial value is `ValueId(0)`.
pub struct History {
    pub operations: Vec<RegisterOp>,
}

struct Attempt {
    invoked: f64,
    effect: f64,
    returned: f64,
    call: Option<Call>,
    crashed: bool,
}

impl Simulation {
    pub fn run(&self) -> History {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut attempts = self.attempts(&mut random);
        attempts.sort_by(|a, b| a.effect.total_cmp(&b.effect));
        self.take_effect(&mut attempts, &mut random);
        attempts.retain(|attempt| attempt.call.is_some());
        attempts.sort_by(|a, b| a.invoked.total_cmp(&b.invoked));
        History { operations: recorded(&attempts) }
    }

    fn attempts(&self, random: &mut ChaCha8Rng) -> Vec<Attempt> {
        let mut attempts = Vec::with_capacity(self.operations);
        let mut free_at: Vec<f64> = (0..self.clients).map(|_| random.random()).collect();
        for at in 0..self.operations {
            let client = at % self.clients;
            let invoked = free_at[client] + 0.05 * random.random::<f64>();
            let returned = invoked + 0.1 + random.random::<f64>();
            let effect = invoked + (returned - invoked) * random.random::<f64>();
            free_at[client] = returned;
            let crashed = random.random_bool(self.crashes);
            attempts.push(Attempt { invoked, effect, returned, call: None, crashed });
        }
        attempts
    }

    fn take_effect(&self, attempts: &mut [Attempt], random: &mut ChaCha8Rng) {
        let mut state = ValueId(0);
        let mut unique = 0;
        for attempt in attempts {
            let lost = attempt.crashed && random.random_bool(0.5);
            let before = state;
            let call = match self.values {
                None if random.random_bool(0.5) => Call::Read(state),
                None => {
                    unique += 1;
                    Call::Write(ValueId(unique))
                }
                Some(values) => {
                    let mut any = || ValueId(1 + random.random_range(0..values));
                    match (any(), any(), any().0 % 3) {
                        (_, _, 0) => Call::Read(state),
                        (value, _, 1) => Call::Write(value),
                        (from, to, _) => Call::Cas(from, to),
                    }
                }
            };
            match call {
                Call::Read(_) if attempt.crashed => continue,
                Call::Cas(from, _) if from != state && !attempt.crashed => continue,
                Call::Cas(from, to) if from == state => state = to,
                Call::Write(to) => state = to,
                Call::Read(_) | Call::Cas(..) => {}
            }
            if lost {
                state = before;
            }
            attempt.call = Some(call);
        }
    }
}

/// Gives every event its position.
fn recorded(attempts: &[Attempt]) -> Vec<RegisterOp> {
    let mut events: Vec<(f64, usize, bool)> = Vec::with_capacity(2 * attempts.len());
    for (at, attempt) in attempts.iter().enumerate() {
        events.push((attempt.invoked, at, false));
        if !attempt.crashed {
            events.push((attempt.returned, at, true));
        }
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let op = |attempt: &Attempt| RegisterOp {
        call: attempt.call.expect("an attempt with a call"),
        invoked: 0,
        returned: None,
    };
    let mut ops: Vec<RegisterOp> = attempts.iter().map(op).collect();
    for (position, (_, at, returns)) in events.into_iter().enumerate() {
        match returns {
            false => ops[at].invoked = position as u64,
            true => ops[at].returned = Some(position as u64),
        }
    }
    ops
}

impl History {
    /// Makes one read near the fraction `at` of the history return a value that was certainly
    /// overwritten before the read began and that no later write has brought back.
    pub fn with_stale_read(mut self, at: f64) -> History {
        let ops = &self.operations;
        let start = (at * ops.len() as f64) as usize;
        let is_read = |&read: &usize| matches!(ops[read].call, Call::Read(_));
        for read in (start..ops.len()).filter(is_read) {
            if let Some(stale) = stale_value(ops, read) {
                self.operations[read].call = Call::Read(stale);
                return self;
            }
        }
        panic!("no read after {start} can be made stale");
    }
}

fn installs(call: Call) -> Option<ValueId> {
    match call {
        Call::Write(value) | Call::Cas(_, value) => Some(value),
        Call::Read(_) => None,
    }
}

/// A value that was there before `read` and cannot be there at any moment of it.
fn stale_value(ops: &[RegisterOp], read: usize) -> Option<ValueId> {
    let RegisterOp { invoked, returned: Some(returned), .. } = ops[read] else { return None };
    let writers = || ops.iter().filter(|op| installs(op.call).is_some());
    let overwritten_before = writers()
        .filter(|op| op.returned.is_some_and(|at| at < invoked))
        .map(|op| op.invoked)
        .max()?;
    let live = |value: ValueId| {
        writers().any(|op| {
            installs(op.call) == Some(value)
                && op.invoked < returned
                && op.returned.is_none_or(|at| at >= overwritten_before)
        })
    };
    let recent = ops[..read].iter().rev().take(1000);
    recent.filter_map(|op| installs(op.call)).find(|&value| !live(value))
}
