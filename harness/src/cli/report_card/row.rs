//! One row of the card: the runs of a mistake and its twin, or of a mode without mistakes.

use rayon::prelude::*;

use super::cases::Case;
use super::runs::{Broken, Ran, Runs, Seen};
use crate::databases::{Rung, StoreTarget};
use crate::plan::Plan;

/// What one row says.
pub struct Row {
    /// The mode, and what it is told.
    pub mode: &'static str,
    /// The mistake, if one is made.
    pub bug: Option<&'static str>,
    /// Whether a broken promise was seen; nothing if no run could tell.
    pub found: Option<bool>,
    /// Which promise was broken.
    pub rung: Option<&'static str>,
    /// What showed it.
    pub anomaly: Option<String>,
    /// Runs with the mistake; without mistakes, all runs.
    pub runs: u64,
    /// How long all runs took, the twin included.
    pub seconds: f64,
    /// Runs without a mistake in which a promise seemed to be broken.
    pub false_alarms: Vec<String>,
    /// Why a run could not tell, the last one of those.
    pub reason: Option<String>,
}

impl Row {
    fn new(mode: &'static str, bug: Option<&'static str>) -> Row {
        Row {
            mode,
            bug,
            found: None,
            rung: None,
            anomaly: None,
            runs: 0,
            seconds: 0.0,
            false_alarms: Vec::new(),
            reason: None,
        }
    }

    /// Makes the mistake until it is seen, at most so many times.
    pub fn of_case(case: &Case, runs: &Runs, most: u64) -> anyhow::Result<Row> {
        let mut row = Row::new(case.mode, Some(case.bug));
        for seed in 1..=most {
            if runs.interrupted() {
                break;
            }
            let ran = runs.run(&case.plan(true)?, seed)?;
            row.runs += 1;
            row.seconds += ran.seconds;
            let broken = match ran.seen {
                Seen::Kept => {
                    row.found = Some(false);
                    continue;
                }
                Seen::Nothing(reason) => {
                    row.reason = Some(reason);
                    continue;
                }
                Seen::Broken(broken) => broken,
            };
            let twin = runs.twin(&case.plan(false)?, seed)?;
            row.seconds += twin.seconds;
            match twin.seen {
                Seen::Kept => {
                    runs.forget(&broken.run);
                    row.found = Some(true);
                    row.broken(broken);
                    break;
                }
                Seen::Nothing(reason) => row.reason = Some(reason),
                Seen::Broken(broken) => row.false_alarm(broken),
            }
        }
        Ok(row)
    }

    /// Runs a mode without mistakes.
    pub fn of_mode(
        mode: &'static str,
        plan: &Plan,
        runs: &Runs,
        count: u64,
    ) -> anyhow::Result<Row> {
        let mut row = Row::new(mode, None);
        let mut plan = Plan { target: format!("store/{mode}"), ..plan.clone() };
        // Who goes from one copy to another may go back in time; who stays may not.
        let promises = StoreTarget::parse(mode).map_err(anyhow::Error::msg)?.promises();
        plan.workload.moving = !promises.contains(&Rung::MonotonicReads);
        let run = |seed| (!runs.interrupted()).then(|| runs.run(&plan, seed));
        let made: Vec<Option<anyhow::Result<Ran>>> = (1..=count).into_par_iter().map(run).collect();
        for ran in made.into_iter().flatten() {
            let Ran { seen, seconds } = ran?;
            row.runs += 1;
            row.seconds += seconds;
            match seen {
                Seen::Kept => {}
                Seen::Nothing(reason) => row.reason = Some(reason),
                Seen::Broken(broken) => row.false_alarm(broken),
            }
        }
        row.found = row.reason.is_none().then_some(!row.false_alarms.is_empty());
        Ok(row)
    }

    fn broken(&mut self, broken: Broken) {
        (self.rung, self.anomaly) = (Some(broken.rung), broken.anomaly);
    }

    fn false_alarm(&mut self, broken: Broken) {
        self.false_alarms.push(broken.run.clone());
        self.broken(broken);
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
        let by = match (self.rung, &self.anomaly) {
            (Some(rung), Some(anomaly)) => format!("{rung} ({anomaly})"),
            (Some(rung), None) => rung.to_owned(),
            (None, _) => self.reason.clone().unwrap_or_default(),
        };
        let (runs, seconds) = (self.runs.to_string(), format!("{:.0}", self.seconds));
        f.write_str(&line([self.mode, self.bug.unwrap_or("-"), word, &by, &runs, &seconds]))?;
        self.false_alarms.iter().try_for_each(|run| write!(f, "\n  kept in {run}"))
    }
}

/// One line of the table.
pub fn line([mode, bug, word, by, runs, seconds]: [&str; 6]) -> String {
    format!("{mode:<32} {bug:<26} {word:<12} {by:<34} {runs:>4} {seconds:>8}")
}
