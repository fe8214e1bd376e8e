//! An imaginary world: operations take no real time, and a seed fixes every byte of the history.
//!
//! Tests run the real loop, the real generators and the real fault decisions in it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use splitbrain_checker::history::{ErrorKind, Kind};
use splitbrain_workloads::{Completion, Invocation, OpError};

use super::{Command, Port, Wake};

/// An in-memory twin of a database: answers an invocation at the time at which it takes effect.
pub trait Twin {
    /// The answer, at once.
    fn answer(&mut self, invocation: &Invocation) -> Completion;
}

/// Registers in memory, linearizable because each operation takes effect at one moment.
#[derive(Default)]
pub struct Registers {
    values: HashMap<String, Value>,
}

impl Twin for Registers {
    fn answer(&mut self, invocation: &Invocation) -> Completion {
        let key = invocation.key.clone().unwrap_or_default();
        let found = self.values.entry(key).or_insert(Value::Null);
        let ok = |value| Completion { kind: Kind::Ok, value, version: None, error: None };
        match &*invocation.f {
            "read" => ok(found.clone()),
            "write" => {
                *found = invocation.value.clone();
                ok(invocation.value.clone())
            }
            "cas" if *found == invocation.value[0] => {
                *found = invocation.value[1].clone();
                ok(invocation.value.clone())
            }
            "cas" => {
                let error = OpError::fail(ErrorKind::Mismatch, format!("found {found}"));
                Completion::error(error, invocation.value.clone())
            }
            other => {
                let error = OpError::fail(ErrorKind::Other, format!("no operation {other}"));
                Completion::error(error, invocation.value.clone())
            }
        }
    }
}

/// What the nemesis does with a command: each thing that arrives, with its delay in nanoseconds.
type Obey<'a> = Box<dyn FnMut(Command) -> Vec<(u64, Wake)> + 'a>;

/// The imaginary world.
pub struct VirtualTime<'a, T> {
    now: u64,
    twin: T,
    obey: Obey<'a>,
    rng: ChaCha8Rng,
    /// What will arrive, by time and then in order of sending.
    coming: BTreeMap<Reverse<(u64, u64)>, Wake>,
    sent: u64,
}

impl<'a, T: Twin> VirtualTime<'a, T> {
    /// A world at time zero with latencies drawn from `seed`.
    pub fn new(seed: u64, twin: T, obey: Obey<'a>) -> VirtualTime<'a, T> {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        VirtualTime { now: 0, twin, obey, rng, coming: BTreeMap::new(), sent: 0 }
    }

    fn send(&mut self, delay: u64, wake: Wake) {
        self.sent += 1;
        self.coming.insert(Reverse((self.now + delay, self.sent)), wake);
    }
}

impl<T: Twin> Port for VirtualTime<'_, T> {
    fn now(&mut self) -> u64 {
        self.now
    }

    fn start(&mut self, worker: usize, invocation: &Invocation) {
        let completion = self.twin.answer(invocation);
        let latency = self.rng.random_range(200_000..4_000_000);
        self.send(latency, Wake::Completed { worker, completion });
    }

    fn command(&mut self, command: Command) {
        for (delay, wake) in (self.obey)(command) {
            self.send(delay, wake);
        }
    }

    fn wait(&mut self, until: u64, arrived: &mut Vec<Wake>) {
        let next = self.coming.last_key_value().map(|(Reverse((at, _)), _)| *at);
        self.now = self.now.max(next.map_or(until, |next| next.min(until)));
        while let Some(entry) = self.coming.last_entry() {
            if entry.key().0.0 > self.now {
                break;
            }
            arrived.push(entry.remove());
        }
    }
}
