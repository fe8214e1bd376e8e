//! Groups of keys of which each is written once, and read together (Jepsen's long-fork): of two
//! reads of a group, one has to see all that the other sees.

use rand::RngExt;
use rand::seq::SliceRandom;
use serde_json::Value;
use std::sync::{Arc, Mutex};

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::transaction::{self, Action, Step};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `long-fork`.
pub const WORKLOAD: Workload = Workload {
    name: "long-fork",
    about: "Keys that are written once each, and groups of them that are read together.",
    load: |_| Box::new(Groups { next_key: Arc::default() }),
};

/// Keys that are written once and read in groups.
pub struct LongFork;

impl Vocabulary for LongFork {
    const NAME: &'static str = "long-fork";
    type Call = Vec<Step>;
    type Ret = Vec<Step>;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Vec<Step>, Malformed> {
        transaction::decode(f, value, &["read", "write"])
    }

    fn encode(_call: &Vec<Step>, ret: Vec<Step>) -> Value {
        transaction::encode(&ret)
    }
}

/// Keys of a group.
const GROUP: u64 = 2;
/// Groups that are still read after the last of their keys was written.
const RECENT: u64 = 2;

struct Groups {
    next_key: Arc<Mutex<u64>>,
}

impl Groups {
    fn operations(&self) -> Box<dyn Generator> {
        let next_key = self.next_key.clone();
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut next = next_key.lock().expect("no one panics here");
            let mut invocation = if ctx.rng.random_range(0..4) == 0 {
                let write = Step { action: Action::Write, key: *next, value: 1.into() };
                *next += 1;
                Invocation::keyless("write", transaction::encode(&[write]))
            } else {
                let newest = *next / GROUP;
                let group = ctx.rng.random_range(newest.saturating_sub(RECENT)..=newest);
                let mut keys: Vec<u64> = (group * GROUP..(group + 1) * GROUP).collect();
                keys.shuffle(&mut ctx.rng);
                let steps: Vec<Step> = keys.into_iter().map(Step::read).collect();
                Invocation::keyless("read", transaction::encode(&steps))
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }
}

impl Load for Groups {
    fn vocabulary(&self) -> &'static str {
        LongFork::NAME
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations()
    }
}
