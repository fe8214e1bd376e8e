//! What the workloads share that work on many small objects, each of which has a key: some at a time,
//! which retire and are replaced; one that never retires and is probed; and all of them in the end.

use std::time::Duration;

use rand::RngExt;

use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Probes, Rounds};
use crate::objects::{self, Settings};

/// Objects that are usually worked on at a time, and operations until one is replaced.
pub const KEYS: usize = 5;
const OPS_PER_KEY: usize = 100;
/// What can be set of these.
pub const SETTINGS: &[&str] = &[objects::KEYS, objects::OPS_PER_KEY, objects::KEY_CHOICE];
/// Two probe rounds a second.
const PROBE_PERIOD: Duration = Duration::from_millis(500);
/// One operation of so many goes to the key that is probed.
const PROBED_ONE_IN: u32 = 20;
/// Five rounds of final reads a second.
const FINAL_PERIOD: Duration = Duration::from_millis(200);

/// What the keys of a phase are called.
pub struct Names {
    /// Before the number of one that retires.
    ordinary: char,
    /// The one that is probed.
    pub probed: &'static str,
}

/// Before and during the faults.
pub const MAIN: Names = Names { ordinary: 'k', probed: "p" };
/// After everything has healed.
pub const AFTER: Names = Names { ordinary: 'a', probed: "q" };

/// A key that is worked on for a while.
pub struct Key<T> {
    /// Its name.
    pub name: String,
    /// What the workload remembers of it.
    pub memory: T,
    left: usize,
}

/// The keys of a phase. What is drawn depends on the seed alone.
pub struct Pool<T> {
    names: &'static Names,
    settings: Settings,
    active: Vec<Key<T>>,
    made: usize,
}

impl<T: Default> Pool<T> {
    /// None begun yet.
    pub fn new(names: &'static Names, settings: &Settings) -> Pool<T> {
        Pool { names, settings: settings.clone(), active: Vec::new(), made: 0 }
    }

    /// The key that is probed, if the next operation goes there.
    pub fn probed(&self, ctx: &mut Context) -> Option<&'static str> {
        (ctx.rng.random_range(0..PROBED_ONE_IN) == 0).then_some(self.names.probed)
    }

    /// One of the others, which has one operation less left then.
    pub fn ordinary(&mut self, ctx: &mut Context) -> &mut Key<T> {
        while self.active.len() < self.settings.keys(KEYS) {
            let key = self.fresh(ctx);
            self.active.push(key);
        }
        let chosen = self.settings.choose(KeyChoice::Uniform, ctx, self.active.len());
        if self.active[chosen].left == 0 {
            self.active[chosen] = self.fresh(ctx);
        }
        let key = &mut self.active[chosen];
        key.left -= 1;
        key
    }

    fn fresh(&mut self, ctx: &mut Context) -> Key<T> {
        let name = format!("{}{}", self.names.ordinary, self.made);
        self.made += 1;
        // Keys begun together do not end together.
        let most = self.settings.ops_per_key(OPS_PER_KEY);
        let left = ctx.rng.random_range(most.div_ceil(2)..=most + most / 2);
        Key { name, left, memory: T::default() }
    }
}

/// Rounds of reads of the key that is probed.
pub fn probes(after: bool) -> Probes {
    let names = if after { &AFTER } else { &MAIN };
    Probes::new("read", names.probed, PROBE_PERIOD)
}

/// Rounds of reads of all keys at every node.
pub fn finals(keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
    let keys = keys.into_iter().map(Some).collect();
    Box::new(Rounds::new("read", keys, FINAL_PERIOD, converge_within))
}

/// The same where there is only one object, which has no key.
pub fn finals_of_one(converge_within: Duration) -> Box<dyn Generator> {
    Box::new(Rounds::new("read", vec![None], FINAL_PERIOD, converge_within))
}
