//! Makes runs, says which promise each of them broke, and keeps those that show something.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::cli::child;
use crate::databases::{Rung, StoreTarget};
use crate::plan::Plan;

/// What a run showed, and how long it took.
pub struct Ran {
    pub seen: Seen,
    pub seconds: f64,
}

/// What a run showed.
pub enum Seen {
    Kept,
    Broken(Broken),
    /// Nothing, for this reason.
    Nothing(String),
}

/// A promise that was broken.
pub struct Broken {
    /// The weakest that was.
    pub rung: &'static str,
    /// The anomaly that comes first in the verdict.
    pub anomaly: Option<String>,
    /// The folder of the run.
    pub run: String,
}

/// Makes runs, several at once if it is asked so.
pub struct Runs {
    runs: child::Runs,
    /// Plans without a mistake, with their seeds, that broke no promise: mistakes share them.
    kept: Mutex<HashSet<String>>,
}

impl Runs {
    /// None made yet.
    pub fn new() -> std::io::Result<Runs> {
        Ok(Runs { runs: child::Runs::new()?, kept: Mutex::default() })
    }

    /// Whether the user has had enough.
    pub fn interrupted(&self) -> bool {
        self.runs.interrupted()
    }

    /// Runs a plan, and says what that showed.
    pub fn run(&self, plan: &Plan, seed: u64) -> anyhow::Result<Ran> {
        let started = Instant::now();
        let target = plan.target.strip_prefix("store/").unwrap_or_default();
        let target = StoreTarget::parse(target).map_err(anyhow::Error::msg)?;
        let promises = target.promises();
        let seed = seed.to_string();
        let flags = ["--seed", &seed, "--expect", expect(promises)];
        let seen = match self.runs.run_plan(plan, &flags) {
            Ok(verdict) => shown(promises, &verdict),
            // The run has said on standard error what went wrong.
            Err(error) => (Seen::Nothing(error.to_string()), String::new()),
        };
        let (seen, run) = seen;
        if matches!(seen, Seen::Kept) {
            self.forget(&run);
        }
        Ok(Ran { seen, seconds: started.elapsed().as_secs_f64() })
    }

    /// The same, unless this has run already and broke no promise.
    pub fn twin(&self, plan: &Plan, seed: u64) -> anyhow::Result<Ran> {
        let name = format!("{seed} {}", serde_json::to_string(plan)?);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept().contains(&name) {
            return Ok(Ran { seen: Seen::Kept, seconds: 0.0 });
        }
        let ran = self.run(plan, seed)?;
        if matches!(ran.seen, Seen::Kept) {
            kept().insert(name);
        }
        Ok(ran)
    }

    /// Removes a run's folder: there are many, and nobody will look at this one.
    pub fn forget(&self, run: &str) {
        let folder = Path::new(run);
        let is_run = folder.starts_with(crate::run::folder::STORE);
        if is_run && folder.join(crate::run::folder::HISTORY).exists() {
            // It only takes up room.
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// What to expect of a run.
fn expect(promises: &[Rung]) -> &'static str {
    if promises.contains(&Rung::Linearizable) {
        "linearizable"
    } else if promises.contains(&Rung::Converged) {
        "eventual"
    } else {
        "weak"
    }
}

/// What a verdict says of these promises, and the folder of its run.
fn shown(promises: &[Rung], verdict: &Value) -> (Seen, String) {
    let run = verdict["run"].as_str().unwrap_or_default().to_owned();
    let violations = verdict["violations"].as_array().into_iter().flatten();
    let mut violations = violations.filter_map(|violation| violation["name"].as_str());
    let seen = match promises.iter().find(|rung| is_broken(**rung, verdict)) {
        Some(rung) => Seen::Broken(Broken {
            rung: rung.name(),
            anomaly: violations.next().map(str::to_owned),
            run: run.clone(),
        }),
        // Transactions have no class, and are as was expected or not.
        None if verdict["verdict"] == "unknown"
            || (verdict["class"].is_null() && verdict["verdict"] != "valid") =>
        {
            Seen::Nothing(verdict["reason"].as_str().unwrap_or("no class").to_owned())
        }
        None => match promises.iter().find(|rung| is_open(**rung, verdict)) {
            Some(rung) => Seen::Nothing(format!("{} is not known", rung.name())),
            None => Seen::Kept,
        },
    };
    (seen, run)
}

fn is_broken(rung: Rung, verdict: &Value) -> bool {
    let violations = verdict["violations"].as_array();
    match rung {
        Rung::NotCorrupt => verdict["class"] == "corrupt",
        Rung::NothingLost => violations
            .is_some_and(|all| all.iter().any(|violation| violation["name"] == "lost-write")),
        Rung::Converged | Rung::MonotonicReads | Rung::Linearizable | Rung::StrictSerializable => {
            verdict["ladder"][rung.name()] == "invalid"
        }
        Rung::OwnCheck => verdict["checks"]
            .as_object()
            .is_some_and(|checks| checks.values().any(|check| check["verdict"] == "invalid")),
    }
}

/// Whether a rung of the ladder is not decided, though the workload has it. What was expected is
/// decided; objects that only a check of their own judges are not asked for linearizability.
fn is_open(rung: Rung, verdict: &Value) -> bool {
    let expected = rung == Rung::Linearizable && verdict["verdict"] == "valid";
    verdict["ladder"][rung.name()] == "unknown" && !expected
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINEARIZABLE: &[Rung] = &[Rung::NotCorrupt, Rung::NothingLost, Rung::Linearizable];
    const EVENTUAL: &[Rung] = &[Rung::NotCorrupt, Rung::NothingLost, Rung::Converged];

    #[track_caller]
    fn check(promises: &[Rung], verdict: &Value, expect: &str) {
        let seen = match shown(promises, verdict).0 {
            Seen::Kept => "kept".to_owned(),
            Seen::Broken(broken) => {
                format!("{} ({})", broken.rung, broken.anomaly.unwrap_or_default())
            }
            Seen::Nothing(reason) => reason,
        };
        assert_eq!(seen, expect, "{verdict}");
    }

    fn verdict(class: &str, linearizable: &str, converged: &str, name: &str) -> Value {
        let class = if class.is_empty() { Value::Null } else { class.into() };
        json!({
            "class": class, "violations": [{ "name": name }], "reason": "too little",
            "ladder": { "linearizable": linearizable, "converged": converged },
        })
    }

    #[test]
    fn a_promise_is_broken_by_a_rung_of_it_and_by_no_other() {
        let stale = verdict("eventual", "invalid", "valid", "stale-read");
        check(LINEARIZABLE, &stale, "linearizable (stale-read)");
        check(EVENTUAL, &stale, "kept");
        let lost = verdict("weak", "invalid", "valid", "lost-write");
        check(LINEARIZABLE, &lost, "nothing-lost (lost-write)");
        check(EVENTUAL, &lost, "nothing-lost (lost-write)");
        check(&[Rung::NotCorrupt], &lost, "kept");
        let apart = verdict("weak", "invalid", "invalid", "not-converged");
        check(EVENTUAL, &apart, "converged (not-converged)");
        let corrupt = verdict("corrupt", "invalid", "valid", "aborted-read");
        check(LINEARIZABLE, &corrupt, "not-corrupt (aborted-read)");
        check(&[Rung::NotCorrupt], &corrupt, "not-corrupt (aborted-read)");
        let back = json!({ "class": "eventual", "ladder": { "monotonic-reads": "invalid" } });
        check(EVENTUAL, &back, "kept");
        check(&[Rung::NotCorrupt, Rung::MonotonicReads], &back, "monotonic-reads ()");
        check(LINEARIZABLE, &verdict("linearizable", "valid", "valid", ""), "kept");
    }

    #[test]
    fn transactions_and_checks_of_workloads_are_promises_too() {
        const PROMISED: &[Rung] = &[Rung::Linearizable, Rung::StrictSerializable, Rung::OwnCheck];
        let levels = |strict: &str, word: &str| {
            json!({ "class": null, "verdict": word, "violations": [{ "name": "G2-item" }],
                "ladder": { "strict-serializable": strict } })
        };
        check(PROMISED, &levels("invalid", "invalid"), "strict-serializable (G2-item)");
        check(PROMISED, &levels("valid", "valid"), "kept");
        let own = |word: &str| {
            json!({ "class": null, "verdict": word, "violations": [{ "name": "long-fork" }],
                "ladder": { "linearizable": "unknown" }, "reason": "too little",
                "checks": { "long-fork": { "verdict": word } } })
        };
        check(PROMISED, &own("invalid"), "own-check (long-fork)");
        check(PROMISED, &own("valid"), "kept");
        check(PROMISED, &own("unknown"), "too little");
    }

    #[test]
    fn what_is_not_decided_is_not_kept() {
        check(LINEARIZABLE, &verdict("", "unknown", "valid", ""), "too little");
        check(EVENTUAL, &verdict("eventual", "invalid", "unknown", ""), "converged is not known");
        check(LINEARIZABLE, &verdict("linearizable", "valid", "unknown", ""), "kept");
    }
}
