//! What a run gets into, drawn with its plan from one seed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use splitbrain::plan::Plan;

use crate::plans::Offer;

/// The kinds of trouble, which take turns from seed to seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nothing,
    Killed,
    Terminated,
    Unguarded,
    /// Nobody is there any more to clean up, until `splitbrain heal` is run.
    BothKilled,
    DiskFull,
}

pub const KINDS: [Kind; 6] = [
    Kind::Nothing,
    Kind::Killed,
    Kind::Terminated,
    Kind::Unguarded,
    Kind::BothKilled,
    Kind::DiskFull,
];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Nothing => "nothing wrong",
            Kind::Killed => "harness killed",
            Kind::Terminated => "harness terminated",
            Kind::Unguarded => "keeper killed",
            Kind::BothKilled => "both killed, heal",
            Kind::DiskFull => "disk full",
        }
    }
}

/// The disk of a run that is to be too small.
#[derive(Clone, Copy, Debug)]
pub struct SmallDisk {
    pub kib: u64,
    /// Whether the journal lies on it too.
    pub journal_too: bool,
}

/// A run as its seed has it.
pub struct Drawn {
    pub seed: u64,
    pub kind: Kind,
    pub plan: Plan,
    /// When it is hit, from its start, where there is such a moment.
    pub after: Duration,
    /// For one that is terminated: after how much longer it is told again, if so.
    pub again: Option<Duration>,
    pub disk: SmallDisk,
}

impl Drawn {
    pub fn of(seed: u64, offer: &Offer) -> Drawn {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let again = Duration::from_millis(rng.random_range(0..300));
        Drawn {
            seed,
            kind: KINDS[(seed % KINDS.len() as u64) as usize],
            after: Duration::from_millis(rng.random_range(0..5_500)),
            again: rng.random_bool(0.25).then_some(again),
            disk: SmallDisk {
                kib: 2_u64.pow(rng.random_range(5..11)),
                journal_too: rng.random_bool(0.5),
            },
            plan: offer.plan(&mut rng),
        }
    }
}

/// Sends a signal to a process that this test started, or that one of its runs did.
pub fn send(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

/// The keeper, as the only journal in the folder names it, if it does by now.
pub fn keeper(state: &Path) -> Option<i32> {
    let journals = fs::read_dir(state).ok()?.flatten().map(|entry| entry.path());
    let journal = journals.into_iter().find(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let text = fs::read_to_string(journal?).ok()?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let keeper = lines.into_iter().find(|line| line["process"]["what"] == "keeper")?;
    Some(keeper["process"]["pid"].as_i64()? as i32)
}
