//! What the README says of exit codes, and what a run left that bears on it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::trouble::{Drawn, Kind};

/// What comes so shortly before the end of all operations may be heard after it.
const HEARD_WITHIN: Duration = Duration::from_millis(300);

/// That a run was hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// When, for the first time.
    pub at: SystemTime,
    pub times: u32,
}

/// What a run's folder tells.
#[derive(Debug, Default)]
pub struct Told {
    /// Operations that succeeded.
    pub ok: usize,
    /// Faults that were in force.
    pub installed: usize,
    /// Whether a history was begun at all.
    begun: bool,
    /// Whether operations were.
    working: bool,
    /// The earliest that the last operation can have ended, if all of them have.
    done_at: Option<SystemTime>,
    /// Whether the history goes on until the nodes are taken down.
    whole: bool,
    /// Whether there is a verdict in its file.
    judged: bool,
}

impl Told {
    /// What the only run below this working folder tells.
    pub fn read(work: &Path) -> Told {
        let Some(folder) = run_folder(work) else { return Told::default() };
        let text = fs::read_to_string(folder.join("history.jsonl")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut told = Told { begun: !text.is_empty(), ..Told::default() };
        let mut started = None;
        for line in lines {
            if let Some(text) = line["started"].as_str() {
                started = text.parse::<DateTime<Utc>>().ok().map(SystemTime::from);
            }
            if line["process"].is_number() && line["type"] == "ok" {
                told.ok += 1;
            }
            if line["f"] == "start" && line["effect"] == "installed" {
                told.installed += 1;
            }
            if line["f"] == "phase" {
                let at = Duration::from_nanos(line["time"].as_u64().unwrap_or_default());
                match line["value"].as_str() {
                    Some("baseline") => told.working = true,
                    Some("collect") => told.done_at = started.map(|started| started + at),
                    Some("teardown") => told.whole = true,
                    _ => {}
                }
            }
        }
        let verdict = fs::read(folder.join("verdict.json")).unwrap_or_default();
        told.judged = serde_json::from_slice::<Value>(&verdict).is_ok();
        told
    }

    /// Whether the run ended as it should.
    pub fn judge(&self, drawn: &Drawn, hit: Option<Hit>, end: ExitStatus) -> Result<(), String> {
        let code = end.code();
        if let Some(0..=2) = code
            && !self.judged
        {
            return Err(format!("it says that it judged ({end}), but there is no verdict"));
        }
        let in_order = matches!(code, Some(0..=2));
        let Some(hit) = hit else {
            return in_order.then_some(()).ok_or(format!("nothing was wrong, yet: {end}"));
        };
        // Known only from below: the clock of the history starts a little after its date.
        let early = self.done_at.is_none_or(|done| hit.at + HEARD_WITHIN < done);
        let ok = match drawn.kind {
            Kind::Nothing => in_order,
            Kind::Killed => end.signal() == Some(9) || in_order && !early,
            Kind::Terminated => match code {
                Some(70) => hit.times > 1 || !self.working,
                None => end.signal() == Some(15) && !self.begun,
                Some(0) => !early,
                _ => in_order,
            },
            Kind::Unguarded => matches!(code, Some(1 | 70)) || in_order && !early,
            // It may have found place again for all that counts.
            Kind::DiskFull => matches!(code, Some(1 | 70)) || in_order && self.whole,
        };
        ok.then_some(())
            .ok_or(format!("{} ({hit:?}) ended with {end}; {self:?}", drawn.kind.name()))
    }
}

/// The folder of the only run in a store.
fn run_folder(work: &Path) -> Option<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| !path.is_symlink()).collect()
    };
    below(&work.join("store")).iter().flat_map(|family| below(family)).next()
}
