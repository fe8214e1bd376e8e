//! What the workloads share whose operations are transactions of several steps on several keys, as
//! Jepsen draws them: one to four steps, half of them reads, on ten keys, each half as popular as the
//! one before it, or on three that are alike; a key is replaced when it has been written 256 times.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;

use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Invocation, Repeat, Sequence, UntilOk};
use crate::objects::{
    self, KEY_CHOICE, Load, MAX_TXN_LENGTH, MIN_TXN_LENGTH, OPS_PER_KEY, Settings, VALUE_BYTES,
};
use crate::transaction::{self, Action, Step};

/// Jepsen's usual figures.
const LENGTHS: [usize; 2] = [1, 4];
const KEYS: usize = 10;
const UNIFORM_KEYS: usize = 3;
const WRITES_PER_KEY: usize = 256;
/// So many keys are read at once in the end.
const FINAL_KEYS: usize = 8;
const FINAL_TRIES: u32 = 10;

/// A load of transactions.
pub struct Transactions {
    settings: Settings,
    vocabulary: &'static str,
    write: Action,
    /// What all phases have drawn together.
    drawn: Arc<Mutex<Drawn>>,
}

#[derive(Default)]
struct Drawn {
    /// The keys in use, each with the number of values written to it.
    active: Vec<(u64, u64)>,
    /// How many keys there have been.
    keys: u64,
}

impl Drawn {
    fn transaction(&mut self, ctx: &mut Context, load: (&Settings, Action)) -> Vec<Step> {
        let [least, most] = load.0.lengths(LENGTHS);
        let steps = ctx.rng.random_range(least..=most);
        (0..steps).map(|_| self.step(ctx, load)).collect()
    }

    fn step(&mut self, ctx: &mut Context, (settings, write): (&Settings, Action)) -> Step {
        let is_uniform = settings.choice == Some(KeyChoice::Uniform);
        let keys = settings.keys(if is_uniform { UNIFORM_KEYS } else { KEYS });
        while self.active.len() < keys {
            self.active.push((self.keys, 0));
            self.keys += 1;
        }
        let chosen = settings.choose(KeyChoice::Exponential, ctx, self.active.len());
        let (key, written) = &mut self.active[chosen];
        if ctx.rng.random_bool(0.5) {
            return Step::read(*key);
        }
        *written += 1;
        let step = Step { action: write, key: *key, value: (*written).into() };
        if *written >= settings.ops_per_key(WRITES_PER_KEY) as u64 {
            (*key, *written) = (self.keys, 0);
            self.keys += 1;
        }
        step
    }
}

impl Transactions {
    /// Transactions that read, or change a key by `write`, in which no value comes twice.
    pub fn new(settings: &Settings, vocabulary: &'static str, write: Action) -> Transactions {
        Transactions { settings: settings.clone(), vocabulary, write, drawn: Arc::default() }
    }
}

impl Load for Transactions {
    fn vocabulary(&self) -> &'static str {
        self.vocabulary
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[objects::KEYS, OPS_PER_KEY, KEY_CHOICE, MIN_TXN_LENGTH, MAX_TXN_LENGTH, VALUE_BYTES]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let (drawn, settings, write) = (self.drawn.clone(), self.settings.clone(), self.write);
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut drawn = drawn.lock().expect("no one panics here");
            let steps = drawn.transaction(ctx, (&settings, write));
            let node = Some(ctx.rng.random_range(0..ctx.nodes));
            Invocation { node, ..Invocation::keyless("txn", transaction::encode(&steps)) }
        }))
    }

    /// Every key there has been, in transactions that only read.
    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        let keys: Vec<u64> = (0..self.drawn.lock().expect("no one panics here").keys).collect();
        let read = |keys: &[u64]| -> Box<dyn Generator> {
            let steps: Vec<Step> = keys.iter().copied().map(Step::read).collect();
            let read = Invocation::keyless("txn", transaction::encode(&steps));
            Box::new(UntilOk::new(read, FINAL_TRIES))
        };
        Box::new(Sequence::new(keys.chunks(FINAL_KEYS).map(read).collect()))
    }
}
