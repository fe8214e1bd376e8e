//! Lists that transactions append to and read (Elle's list-append): what was read of a list shows the
//! order of all that was appended before.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::{Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat, Sequence, UntilOk};
use crate::transaction::{self, Action, Step};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `append`.
pub const WORKLOAD: Workload = Workload {
    name: "append",
    about: "Transactions that append to several lists and read them.",
    load: |settings| Box::new(Lists { settings: settings.clone(), drawn: Arc::default() }),
};

/// Lists that hold whole numbers.
pub struct ListAppend;

impl Vocabulary for ListAppend {
    const NAME: &'static str = "list-append";
    type Call = Vec<Step>;
    type Ret = Vec<Step>;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Vec<Step>, Malformed> {
        transaction::decode(f, value, &["txn"])
    }

    fn encode(_call: &Vec<Step>, ret: Vec<Step>) -> Value {
        transaction::encode(&ret)
    }
}

/// A transaction has 1 to so many steps.
const MOST_STEPS: usize = 4;
/// So many keys are read at once in the end.
const FINAL_KEYS: usize = 8;
const FINAL_TRIES: u32 = 10;

struct Lists {
    settings: Settings,
    /// What all phases have drawn together.
    drawn: Arc<Mutex<Drawn>>,
}

#[derive(Default)]
struct Drawn {
    /// The keys in use, each with the number of values appended to it.
    active: Vec<(u64, u64)>,
    /// How many keys there have been.
    keys: u64,
}

impl Drawn {
    fn transaction(&mut self, ctx: &mut Context, settings: &Settings) -> Vec<Step> {
        let steps = ctx.rng.random_range(1..=MOST_STEPS);
        (0..steps).map(|_| self.step(ctx, settings)).collect()
    }

    /// Every other key is half as popular as the one before it, as with Jepsen.
    fn step(&mut self, ctx: &mut Context, settings: &Settings) -> Step {
        while self.active.len() < settings.keys.max(1) {
            self.active.push((self.keys, 0));
            self.keys += 1;
        }
        let halvings = (0..self.active.len() - 1).take_while(|_| ctx.rng.random_bool(0.5)).count();
        let (key, appended) = &mut self.active[halvings];
        if ctx.rng.random_bool(0.5) {
            return Step::read(*key);
        }
        *appended += 1;
        let step = Step { action: Action::Append, key: *key, value: (*appended).into() };
        if *appended >= settings.ops_per_key as u64 {
            (*key, *appended) = (self.keys, 0);
            self.keys += 1;
        }
        step
    }
}

impl Lists {
    fn operations(&self) -> Box<dyn Generator> {
        let (drawn, settings) = (self.drawn.clone(), self.settings.clone());
        Box::new(Repeat(move |ctx: &mut Context| {
            let steps = drawn.lock().expect("no one panics here").transaction(ctx, &settings);
            let node = Some(ctx.rng.random_range(0..ctx.nodes));
            Invocation { node, ..Invocation::keyless("txn", transaction::encode(&steps)) }
        }))
    }
}

impl Load for Lists {
    fn vocabulary(&self) -> &'static str {
        ListAppend::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations()
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
