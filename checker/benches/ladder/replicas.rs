//! Histories of five simulated replicas, which learn of each other's writes late and keep the latest.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use splitbrain_checker::history::{Event, History, Kind, Process};

const REPLICAS: usize = 5;

/// Keys in use at a time, each for so many operations.
const KEYS: usize = 10;
const USES: usize = 100;

/// From one event to the next, in nanoseconds.
const GAP_NS: u64 = 100_000;
/// So often the first two replicas are said to be cut off from the others.
const CUTS: u64 = 20;

/// What to simulate.
pub struct Replicas {
    pub operations: usize,
    pub clients: usize,
    /// After how many operations a replica learns of a write at most.
    pub lag: u64,
    /// How often a session goes on at another replica.
    pub moves: f64,
    /// Share of the operations whose outcome stays unknown, half of which take no effect.
    pub crashes: f64,
}

/// A key at one replica.
#[derive(Clone, Default)]
struct Copy {
    held: u64,
    /// When it is known, and the write.
    coming: Vec<(u64, u64)>,
}

impl Copy {
    fn now(&mut self, time: u64) -> u64 {
        for (_, write) in self.coming.extract_if(.., |(known, _)| *known <= time) {
            self.held = self.held.max(write);
        }
        self.held
    }
}

impl Replicas {
    pub fn run(&self) -> History {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut events: Vec<Event> = Vec::with_capacity(2 * self.operations);
        let mut keys: Vec<(String, usize, Vec<Copy>)> = Vec::new();
        let mut fresh = 0;
        let mut processes: Vec<u64> = (0..self.clients as u64).collect();
        let mut at: Vec<usize> = (0..self.clients).map(|client| client % REPLICAS).collect();
        let half_turn = (self.operations as u64 / (2 * CUTS)).max(1);
        for time in 1..=self.operations as u64 {
            if time.is_multiple_of(half_turn) {
                add_cut(&mut events, time / half_turn - 1);
            }
            let client = random.random_range(0..self.clients);
            if random.random_bool(self.moves) {
                at[client] = random.random_range(0..REPLICAS);
            }
            let slot = random.random_range(0..KEYS);
            if keys.len() <= slot || keys[slot].1 == USES {
                fresh += 1;
                let key = (format!("k{fresh}"), 0, vec![Copy::default(); REPLICAS]);
                match keys.len() <= slot {
                    true => keys.push(key),
                    false => keys[slot] = key,
                }
            }
            let slot = slot.min(keys.len() - 1);
            let (key, uses, copies) = &mut keys[slot];
            *uses += 1;
            let writes = random.random_bool(0.5);
            let crashed = random.random_bool(self.crashes);
            let process = Process::Client(processes[client]);
            let mut add = |kind, value: Value| {
                let index = events.len() as u64;
                let f = if writes { "write" } else { "read" };
                let mut event = Event::new(index, GAP_NS * index, kind, process, f.to_owned());
                let node = ["n1", "n2", "n3", "n4", "n5"][at[client]];
                event.node = (kind == Kind::Invoke).then(|| node.into());
                event.key = Some(key.clone());
                event.value = value;
                events.push(event);
            };
            if writes {
                add(Kind::Invoke, json!(time));
                if !crashed || random.random_bool(0.5) {
                    for (replica, copy) in copies.iter_mut().enumerate() {
                        let late = if replica == at[client] { 0 } else { self.lag };
                        copy.coming.push((time + random.random_range(0..=late), time));
                    }
                }
                add(if crashed { Kind::Info } else { Kind::Ok }, json!(time));
            } else {
                add(Kind::Invoke, Value::Null);
                let seen = match copies[at[client]].now(time) {
                    0 => Value::Null,
                    write => json!(write),
                };
                match crashed {
                    true => add(Kind::Info, Value::Null),
                    false => add(Kind::Ok, seen),
                }
            }
            if crashed {
                processes[client] += self.clients as u64;
            }
        }
        History::from_events(None, events).expect("well-formed")
    }
}

/// Every other half turn begins a cut, the next ends it. The replicas do not heed it: what counts here
/// is how much there is to profile.
fn add_cut(events: &mut Vec<Event>, half_turn: u64) {
    let mut cut = Vec::new();
    for one in ["n1", "n2"] {
        for other in ["n3", "n4", "n5"] {
            cut.extend([json!([one, other]), json!([other, one])]);
        }
    }
    let sides = json!([["n1", "n2"], ["n3", "n4", "n5"]]);
    let is_begin = half_turn.is_multiple_of(2);
    for effect in [None, Some(if is_begin { "installed" } else { "healed" })] {
        let index = events.len() as u64;
        let f = if is_begin { "start" } else { "stop" };
        let mut event = Event::new(index, GAP_NS * index, Kind::Info, Process::Nemesis, f);
        event.fault = Some("halves".into());
        event.id = Some(half_turn / 2);
        event.effect = effect.map(Into::into);
        event.value = match effect {
            None => json!({"cut": cut, "sides": sides, "targets": []}),
            Some(_) => Value::Null,
        };
        events.push(event);
    }
}
