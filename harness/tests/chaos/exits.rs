//! What the README says of exit codes, and what a run left that bears on it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::trouble::Kind;

/// What comes so shortly before the end of all operations may be heard after it, on a machine that may
/// stand still for a moment.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

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
    /// Faults that could not be verified to be healed.
    pub unhealed: usize,
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
        let mut unhealed = BTreeSet::new();
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
            if let (Some("stop"), Some(effect)) = (line["f"].as_str(), line["effect"].as_str()) {
                // The last word counts, since healing is tried again.
                let fault = line["id"].as_u64();
                match effect {
                    "healed" => unhealed.remove(&fault),
                    _ => unhealed.insert(fault),
                };
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
        told.unhealed = unhealed.len();
        let verdict = fs::read(folder.join("verdict.json")).unwrap_or_default();
        told.judged = serde_json::from_slice::<Value>(&verdict).is_ok();
        told
    }

    /// Whether the run ended as it should.
    pub fn judge(&self, kind: Kind, hit: Option<Hit>, end: ExitStatus) -> Result<(), String> {
        let code = end.code();
        if let Some(0..=2) = code
            && !self.judged
        {
            return Err(format!("it says that it judged ({end}), but there is no verdict"));
        }
        let in_order = matches!(code, Some(0..=2));
        let Some(hit) = hit else {
            // A harness that cannot heal has failed: a database may have died of what was done to it.
            let in_order = in_order || code == Some(70) && self.unhealed > 0;
            // A disk that was full for a moment may not have been seen to be, and if it was so small
            // that no node could start on it there was nothing to judge.
            let too_small = kind == Kind::DiskFull && !self.working && code == Some(70);
            let in_order = in_order || too_small;
            return in_order.then_some(()).ok_or(format!("nothing was wrong, yet: {end}"));
        };
        // Known only from below: the clock of the history starts a little after its date.
        let early = self.done_at.is_none_or(|done| hit.at + HEARD_WITHIN < done);
        let ok = match kind {
            Kind::Nothing => in_order,
            Kind::Killed | Kind::BothKilled => end.signal() == Some(9) || in_order && !early,
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
        ok.then_some(()).ok_or(format!("{} ({hit:?}) ended with {end}; {self:?}", kind.name()))
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

#[cfg(test)]
mod tests {
    use super::*;

    const EXITED: i32 = 1 << 8;

    /// A run of 5 s that worked to its end and was judged.
    fn worked() -> Told {
        let done_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        let (begun, working, whole, judged) = (true, true, true, true);
        Told { ok: 100, installed: 1, unhealed: 0, begun, working, done_at, whole, judged }
    }

    #[track_caller]
    fn check(told: &Told, kind: Kind, hit_at_s: Option<u64>, right: &[i32], wrong: &[i32]) {
        let at = |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let hit = hit_at_s.map(|s| Hit { at: at(s), times: 1 });
        for (ends, ok) in [(right, true), (wrong, false)] {
            for end in ends {
                let judged = told.judge(kind, hit, ExitStatus::from_raw(*end));
                assert_eq!(judged.is_ok(), ok, "{kind:?} {hit:?} {end}: {judged:?}");
            }
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_readme() {
        let [valid, invalid, unknown, usage, failed, panicked] =
            [0, 1, 2, 64, 70, 101].map(|code| code * EXITED);
        let (killed, terminated) = (9, 15);
        let all = worked();
        let never = [usage, panicked, 11];
        check(&all, Kind::Nothing, None, &[valid, invalid, unknown], &[failed, killed]);
        check(&all, Kind::Killed, Some(1), &[killed], &[valid, failed, terminated]);
        check(&all, Kind::Killed, Some(6), &[killed, valid, invalid], &never);
        check(&all, Kind::Terminated, Some(1), &[unknown, invalid], &[valid, failed, terminated]);
        check(&all, Kind::Terminated, Some(6), &[valid, invalid], &never);
        check(&all, Kind::Unguarded, Some(1), &[failed, invalid], &[valid, unknown, killed]);
        check(&all, Kind::Unguarded, Some(6), &[valid, failed], &never);
        check(&all, Kind::DiskFull, Some(1), &[failed, invalid, valid], &never);

        let cut_off = Told { whole: false, done_at: None, ..worked() };
        check(&cut_off, Kind::DiskFull, Some(1), &[failed, invalid], &[valid, unknown]);
        let unhealed = Told { unhealed: 1, ..worked() };
        check(&unhealed, Kind::Nothing, None, &[failed, valid], &[panicked, killed]);
        let unjudged = Told { judged: false, ..worked() };
        check(&unjudged, Kind::Nothing, None, &[], &[valid, invalid, unknown]);
        let starting = Told { working: false, done_at: None, ..worked() };
        check(&starting, Kind::DiskFull, None, &[failed], &[panicked, killed]);
        check(&all, Kind::DiskFull, None, &[valid, invalid], &[failed, panicked]);
        check(&starting, Kind::Terminated, Some(1), &[failed, unknown], &[valid, terminated]);
        let nothing = Told::default();
        check(&nothing, Kind::Terminated, Some(1), &[failed, terminated], &[valid, unknown]);
    }
}
