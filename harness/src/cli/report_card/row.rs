//! One row of the card: the runs of a mistake and its twin, or of a mode without mistakes.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::cases::Case;
use crate::cli::child;
use crate::databases::{Promise, StoreTarget};
use crate::plan::Plan;

/// What one row says.
pub struct Row {
    /// The mode, and what it is told.
    pub mode: &'static str,
    /// The mistake, if one is made.
    pub bug: Option<&'static str>,
    /// Whether a broken promise was seen; nothing if no run could tell.
    pub found: Option<bool>,
    /// Which promise was broken, and what showed it.
    pub rung: Option<String>,
    /// Runs with the mistake; without mistakes, all runs.
    pub runs: u64,
    /// How long all of it took, the twin included.
    pub seconds: f64,
    /// Runs without a mistake in which a promise seemed to be broken.
    pub false_alarms: Vec<String>,
    /// Why a run could not tell, the last one of those.
    pub reason: Option<String>,
}

/// What a run showed.
enum Seen {
    Kept,
    Broken { rung: String, run: String },
    Nothing(String),
}

impl Row {
    fn new(mode: &'static str, bug: Option<&'static str>) -> Row {
        Row {
            mode,
            bug,
            found: None,
            rung: None,
            runs: 0,
            seconds: 0.0,
            false_alarms: Vec::new(),
            reason: None,
        }
    }

    /// Makes the mistake until it is seen, at most so many times.
    pub fn of_case(case: &Case, runs: &Runs, most: u64) -> anyhow::Result<Row> {
        let started = Instant::now();
        let mut row = Row::new(case.mode, Some(case.bug));
        for seed in 1..=most {
            if runs.interrupted() {
                break;
            }
            row.runs += 1;
            match runs.run(&case.plan(true)?, seed)? {
                Seen::Kept => row.found = Some(false),
                Seen::Nothing(reason) => row.reason = Some(reason),
                Seen::Broken { rung, run } => match runs.twin(&case.plan(false)?, seed)? {
                    Seen::Kept => {
                        row.found = Some(true);
                        row.rung = Some(rung);
                        runs.forget(&run);
                        break;
                    }
                    Seen::Nothing(reason) => row.reason = Some(reason),
                    Seen::Broken { run, .. } => row.false_alarms.push(run),
                },
            }
        }
        row.seconds = started.elapsed().as_secs_f64();
        Ok(row)
    }

    /// Runs a mode without mistakes.
    pub fn of_mode(
        mode: &'static str,
        plan: &Plan,
        runs: &Runs,
        count: u64,
    ) -> anyhow::Result<Row> {
        let started = Instant::now();
        let mut row = Row::new(mode, None);
        let plan = Plan { target: format!("store/{mode}"), ..plan.clone() };
        for seed in 1..=count {
            if runs.interrupted() {
                break;
            }
            row.runs += 1;
            match runs.run(&plan, seed)? {
                Seen::Kept => {}
                Seen::Nothing(reason) => row.reason = Some(reason),
                Seen::Broken { rung, run } => {
                    row.rung = Some(rung);
                    row.false_alarms.push(run);
                }
            }
        }
        row.found = row.reason.is_none().then_some(!row.false_alarms.is_empty());
        row.seconds = started.elapsed().as_secs_f64();
        Ok(row)
    }

    /// Whether it is as it should be; nothing if that cannot be told.
    pub fn met(&self) -> Option<bool> {
        let clean = self.false_alarms.is_empty();
        match self.found {
            Some(found) => Some(clean && found == self.bug.is_some()),
            None => (!clean).then_some(false),
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match (self.found, self.bug) {
            (Some(true), Some(_)) => "found",
            (Some(false), Some(_)) => "MISSED",
            (None, _) => "unknown",
            (Some(_), None) => "no alarm",
        };
        let word = if self.false_alarms.is_empty() { word } else { "FALSE ALARM" };
        let by = self.rung.as_deref().or(self.reason.as_deref()).unwrap_or_default();
        let (runs, seconds) = (self.runs.to_string(), format!("{:.0}", self.seconds));
        f.write_str(&line([self.mode, self.bug.unwrap_or("-"), word, by, &runs, &seconds]))?;
        self.false_alarms.iter().try_for_each(|run| write!(f, "\n  kept in {run}"))
    }
}

/// One line of the table.
pub fn line([mode, bug, word, by, runs, seconds]: [&str; 6]) -> String {
    format!("{mode:<32} {bug:<26} {word:<12} {by:<34} {runs:>4} {seconds:>8}")
}

/// Makes runs, and keeps those that show something.
pub struct Runs {
    runs: child::Runs,
    /// Plans without a mistake, with their seeds, that broke no promise: mistakes share them.
    kept: RefCell<HashSet<String>>,
}

impl Runs {
    /// None made yet.
    pub fn new() -> std::io::Result<Runs> {
        Ok(Runs { runs: child::Runs::new()?, kept: RefCell::default() })
    }

    /// Whether the user has had enough.
    pub fn interrupted(&self) -> bool {
        self.runs.interrupted()
    }

    /// Runs a plan, and says what that showed.
    fn run(&self, plan: &Plan, seed: u64) -> anyhow::Result<Seen> {
        let target = plan.target.strip_prefix("store/").unwrap_or_default();
        let target = StoreTarget::parse(target).map_err(anyhow::Error::msg)?;
        let promise = target.promise();
        let file = child::PlanFile::write(plan)?;
        let path = file.0.to_string_lossy();
        let seed = seed.to_string();
        let flags = ["--plan", &path, "--seed", &seed, "--expect", promise.expect()];
        let verdict = match self.runs.run(&flags) {
            Ok(verdict) => verdict,
            // The run has said on standard error what went wrong.
            Err(error) => return Ok(Seen::Nothing(error.to_string())),
        };
        let run = verdict["run"].as_str().unwrap_or_default().to_owned();
        let seen = match promise.broken(&verdict) {
            Some(rung) => Seen::Broken { rung, run: run.clone() },
            None if verdict["class"].is_null() || verdict["verdict"] == "unknown" => {
                Seen::Nothing(verdict["reason"].as_str().unwrap_or("no class").to_owned())
            }
            None => Seen::Kept,
        };
        if matches!(seen, Seen::Kept) {
            self.forget(&run);
        }
        Ok(seen)
    }

    /// The same, unless this has run already and broke no promise.
    fn twin(&self, plan: &Plan, seed: u64) -> anyhow::Result<Seen> {
        let name = format!("{seed} {}", serde_json::to_string(plan)?);
        if self.kept.borrow().contains(&name) {
            return Ok(Seen::Kept);
        }
        let seen = self.run(plan, seed)?;
        if matches!(seen, Seen::Kept) {
            self.kept.borrow_mut().insert(name);
        }
        Ok(seen)
    }

    /// Removes a run's folder: there are many, and nobody will look at this one.
    fn forget(&self, run: &str) {
        let folder = Path::new(crate::run::folder::STORE).join(run);
        if !run.is_empty() && folder.join(crate::run::folder::HISTORY).exists() {
            // It only takes up room.
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Promise {
    /// What to expect of a run.
    fn expect(self) -> &'static str {
        match self {
            Promise::NotCorrupt => "weak",
            Promise::Eventual => "eventual",
            Promise::Linearizable => "linearizable",
        }
    }

    /// The promise and what broke it, if it was broken.
    fn broken(self, verdict: &Value) -> Option<String> {
        let class = verdict["class"].as_str().unwrap_or_default();
        let broken = match self {
            Promise::NotCorrupt => class == "corrupt",
            Promise::Eventual => ["corrupt", "weak"].contains(&class),
            Promise::Linearizable => verdict["ladder"]["linearizable"] == "invalid",
        };
        let names = verdict["violations"].as_array().into_iter().flatten();
        let first = names.filter_map(|violation| violation["name"].as_str()).next();
        broken
            .then(|| match (self, class) {
                (Promise::NotCorrupt, _) | (_, "corrupt") => "corrupt".to_owned(),
                (_, _) => self.expect().to_owned(),
            })
            .map(|rung| first.map_or(rung.clone(), |first| format!("{rung} ({first})")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_breaks_a_promise_depends_on_the_promise() {
        let verdict = |class: &str, linearizable: &str, name: &str| {
            json!({
                "class": class, "ladder": { "linearizable": linearizable },
                "violations": [{ "name": name }],
            })
        };
        let check = |promise: Promise, verdict: &Value, expect: Option<&str>| {
            assert_eq!(promise.broken(verdict).as_deref(), expect, "{verdict}");
        };
        let stale = verdict("eventual", "invalid", "stale-read");
        check(Promise::Linearizable, &stale, Some("linearizable (stale-read)"));
        check(Promise::Eventual, &stale, None);
        let lost = verdict("weak", "invalid", "lost-write");
        check(Promise::Eventual, &lost, Some("eventual (lost-write)"));
        check(Promise::NotCorrupt, &lost, None);
        let corrupt = verdict("corrupt", "invalid", "aborted-read");
        check(Promise::NotCorrupt, &corrupt, Some("corrupt (aborted-read)"));
        check(Promise::Linearizable, &corrupt, Some("corrupt (aborted-read)"));
        check(Promise::Linearizable, &verdict("linearizable", "valid", "none"), None);
    }
}
