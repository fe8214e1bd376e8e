//! Makes histories as Jepsen's generators do: keys of an exponential distribution that retire after some
//! writes, transactions of one to eight accesses.
//!
//! Each transaction happens at one moment, so that the history is strictly serializable; if it is to be broken
//! one read near the end finds what was written a hundred writes before, though the same session has come across
//! much newer values: no causal order excuses it.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KEYS: usize = 10;
/// So the lists of a million accesses have the 123 MB that other tools were measured with.
const WRITES_MOST: u32 = 112;

/// What is to be made.
#[derive(Clone, Copy)]
pub struct Size {
    pub accesses: usize,
    pub sessions: usize,
    pub broken: bool,
    /// How many transactions may be open at once; with more than one a hundredth of them ends with `info`.
    pub open: usize,
}

/// One access to a key: what it wrote, or how many writes it found.
#[derive(Clone, Copy)]
enum Access {
    Write(usize, u32),
    Read(usize, u32),
}

struct Transaction {
    process: usize,
    accesses: Vec<Access>,
}

/// The transactions in the order in which they happen.
struct Serial {
    rng: ChaCha8Rng,
    size: Size,
    /// The name of each key in use, and how often it was written.
    keys: Vec<(usize, u32)>,
    next_key: usize,
    done: usize,
    to_break: bool,
    /// The last version that each process came across, of each key.
    met: HashMap<(usize, usize), u32>,
}

impl Serial {
    fn new(size: Size) -> Serial {
        Serial {
            rng: ChaCha8Rng::seed_from_u64(7),
            size,
            keys: (0..KEYS).map(|key| (key, 0)).collect(),
            next_key: KEYS,
            done: 0,
            to_break: size.broken,
            met: HashMap::new(),
        }
    }

    fn next(&mut self, process: usize) -> Option<Transaction> {
        if self.done >= self.size.accesses {
            return None;
        }
        let mut accesses = Vec::new();
        for place in 0..self.rng.random_range(1..=8) {
            let chosen = (0..KEYS - 1).find(|_| self.rng.random_bool(0.5)).unwrap_or(KEYS - 1);
            let (key, written) = &mut self.keys[chosen];
            if self.rng.random_bool(0.5) {
                *written += 1;
                accesses.push(Access::Write(*key, *written));
            } else {
                let is_late = self.done > self.size.accesses * 9 / 10;
                let met = self.met.get(&(process, *key)).copied().unwrap_or_default();
                let breaks = self.to_break && place == 0 && is_late && *written > 100 && met > 50;
                self.to_break &= !breaks;
                accesses.push(Access::Read(*key, if breaks { 1 } else { *written }));
            }
            if self.to_break {
                self.met.insert((process, *key), *written);
            }
            if *written == WRITES_MOST {
                self.keys[chosen] = (self.next_key, 0);
                self.next_key += 1;
            }
            self.done += 1;
        }
        Some(Transaction { process, accesses })
    }
}

/// What the objects are.
#[derive(Clone, Copy, PartialEq)]
pub enum Objects {
    Lists,
    Registers,
}

/// In Jepsen's EDN.
pub fn edn(objects: Objects, size: Size) -> String {
    let mut serial = Serial::new(size);
    let mut text = String::new();
    let mut index = 0_u64;
    let mut line = |kind: &str, of: &Transaction, knows: bool| {
        let time = index * 1_000;
        let process = of.process;
        let _ = write!(
            text,
            "{{:index {index}, :time {time}, :type :{kind}, :process {process}, :f :txn, :value ["
        );
        index += 1;
        for (place, access) in of.accesses.iter().enumerate() {
            let space = if place > 0 { " " } else { "" };
            let name = if objects == Objects::Lists { "append" } else { "w" };
            let _ = match *access {
                Access::Write(key, value) => write!(text, "{space}[:{name} {key} {value}]"),
                Access::Read(key, found) if knows && objects == Objects::Lists => {
                    let elements: Vec<String> = (1..=found).map(|one| one.to_string()).collect();
                    write!(text, "{space}[:r {key} [{}]]", elements.join(" "))
                }
                Access::Read(key, found) if knows && found > 0 => {
                    write!(text, "{space}[:r {key} {found}]")
                }
                Access::Read(key, _) => write!(text, "{space}[:r {key} nil]"),
            };
        }
        text += "]}\n";
    };
    // Whoever is open has happened already, and ends in another order.
    let mut open: VecDeque<(Transaction, &str)> = VecDeque::new();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut free: Vec<usize> = (0..size.sessions).collect();
    let mut next_process = size.sessions;
    loop {
        let process = free.swap_remove(rng.random_range(0..free.len()));
        let next = serial.next(process);
        let is_end = next.is_none();
        if let Some(transaction) = next {
            line("invoke", &transaction, false);
            let is_lost = size.open > 1 && rng.random_bool(0.01);
            open.push_back((transaction, if is_lost { "info" } else { "ok" }));
        }
        while open.len() >= size.open || is_end && !open.is_empty() {
            let at = rng.random_range(0..open.len());
            let (done, kind) = open.swap_remove_back(at).expect("one of them");
            line(kind, &done, kind == "ok");
            free.push(if kind == "ok" { done.process } else { next_process });
            next_process += usize::from(kind != "ok");
        }
        if is_end {
            return text;
        }
    }
}

/// In Plume's text, session by session.
pub fn plume(size: Size) -> String {
    let mut serial = Serial::new(size);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut sessions = vec![String::new(); size.sessions];
    let mut number = 0;
    while let Some(next) = serial.next(rng.random_range(0..size.sessions)) {
        for access in &next.accesses {
            let (name, key, value) = match access {
                Access::Write(key, value) => ('w', key, value),
                Access::Read(key, value) => ('r', key, value),
            };
            let session = next.process;
            let _ = writeln!(sessions[session], "{name}({key},{value},{session},{number})");
        }
        number += 1;
    }
    sessions.concat()
}
