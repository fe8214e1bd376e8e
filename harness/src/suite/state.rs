//! What is kept of a suite while it runs, so that it can go on after whatever ends it:
//! `store/suites/<name>/<UTC time>/` with `suite.json`, written once, and `results.jsonl`, a line for
//! each run that is over.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::{Cell, Row};
use crate::run::folder::STORE;

/// What is decided when a suite begins, and holds however often it is resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// When that was.
    pub started: DateTime<Utc>,
    /// Of what the drawn seeds came.
    pub draw: u64,
    /// The runs in their order.
    pub cells: Vec<Cell>,
}

/// A suite's folder, which this process alone writes to.
pub struct State {
    /// Its path.
    pub path: PathBuf,
    /// What was decided when it began.
    pub begun: Begun,
    /// What is known so far.
    pub rows: Vec<Row>,
    /// How many of the runs were taken, or are passed over because they were made before.
    taken: usize,
    results: Flock<File>,
}

const BEGUN: &str = "suite.json";
const RESULTS: &str = "results.jsonl";
/// Says that nothing is left to do.
const DONE: &str = "done";

/// The folder of all that suites of this name left.
fn folder(store: &Path, name: &str) -> PathBuf {
    store.join("suites").join(name)
}

/// The folders of earlier nights, the oldest first.
fn nights(store: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(store, name)).into_iter().flatten().flatten();
    let mut nights: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join(BEGUN).exists()).collect();
    nights.sort();
    nights
}

/// The rows of earlier nights, the oldest first.
pub fn before(store: &Path, name: &str) -> Vec<Vec<Row>> {
    let rows = |night: &PathBuf| {
        let text = std::fs::read_to_string(night.join(RESULTS)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    nights(store, name).iter().map(rows).collect()
}

impl State {
    /// Begins a suite in a folder of its own.
    pub fn begin(name: &str, begun: &Begun) -> anyhow::Result<State> {
        let time = begun.started.format("%Y%m%dT%H%M%SZ");
        let all = folder(Path::new(STORE), name);
        let taken = (1..).map(|turn| match turn {
            1 => all.join(time.to_string()),
            turn => all.join(format!("{time}-{turn}")),
        });
        std::fs::create_dir_all(&all)?;
        for path in taken {
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    // In place by a rename: without it the folder counts as none.
                    let fresh = path.join(".suite.json");
                    let mut file = File::create(&fresh)?;
                    file.write_all(&serde_json::to_vec_pretty(begun)?)?;
                    file.sync_all()?;
                    std::fs::rename(&fresh, path.join(BEGUN))?;
                    return State::open(path);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("{}", path.display()));
                }
            }
        }
        unreachable!("some number is free")
    }

    /// The last one that was begun, if something of it is left to do.
    pub fn unfinished(name: &str) -> anyhow::Result<Option<State>> {
        let last = nights(Path::new(STORE), name).pop().filter(|night| !night.join(DONE).exists());
        last.map(State::open).transpose()
    }

    fn open(path: PathBuf) -> anyhow::Result<State> {
        let begun = std::fs::read(path.join(BEGUN))?;
        let begun = serde_json::from_slice(&begun)
            .with_context(|| format!("{} is not what a suite leaves", path.display()))?;
        let mut options = OpenOptions::new();
        let results =
            options.read(true).write(true).create(true).truncate(false).open(path.join(RESULTS))?;
        let mut results = match Flock::lock(results, FlockArg::LockExclusiveNonblock) {
            Ok(results) => results,
            Err((_, Errno::EWOULDBLOCK)) => {
                bail!("the suite in {} is running in another process", path.display())
            }
            Err((_, error)) => return Err(error.into()),
        };
        let mut text = String::new();
        results.read_to_string(&mut text).context("results.jsonl")?;
        // A line that was cut off is of a run that has to be made again.
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        results.set_len(whole as u64)?;
        results.seek(SeekFrom::Start(whole as u64))?;
        let rows = text[..whole].lines().map(serde_json::from_str);
        let rows = rows.collect::<Result<_, _>>().context("results.jsonl")?;
        Ok(State { path, begun, rows, taken: 0, results })
    }

    /// The next run that nobody has made or taken.
    pub fn take(&mut self) -> Option<Cell> {
        let made = |cell: &Cell| self.rows.iter().any(|row| row.cell == cell.name());
        let left = self.begun.cells[self.taken..].iter().position(|cell| !made(cell))?;
        self.taken += left + 1;
        self.begun.cells.get(self.taken - 1).cloned()
    }

    /// Keeps what a run showed.
    pub fn record(&mut self, row: Row) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        let kept = self.results.write_all(&line).and_then(|()| self.results.sync_data());
        kept.with_context(|| format!("{} cannot be written", self.path.join(RESULTS).display()))?;
        self.rows.push(row);
        Ok(())
    }

    /// Nothing is left to do, or nobody will: the next one begins anew.
    pub fn finish(&self) -> anyhow::Result<()> {
        std::fs::write(self.path.join(DONE), "").map_err(Into::into)
    }
}
