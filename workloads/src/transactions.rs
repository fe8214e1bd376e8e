//! What the workloads share whose operations are transactions of several steps on several keys, as
//! Jepsen draws them: one to four steps, half of them reads, every other key half as popular as the
//! one before it, and a key is replaced when it has been written often enough.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;

use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Invocation, Repeat, Sequence, UntilOk};
use crate::objects::{Load, Settings};
use crate::transaction::{self, Action, Step};

/// A transaction has 1 to so many steps.
const MOST_STEPS: usize = 4;
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
        let steps = ctx.rng.random_range(1..=MOST_STEPS);
        (0..steps).map(|_| self.step(ctx, load)).collect()
    }

    fn step(&mut self, ctx: &mut Context, (settings, write): (&Settings, Action)) -> Step {
        while self.active.len() < settings.keys.max(1) {
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
        if *written >= settings.ops_per_key as u64 {
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
