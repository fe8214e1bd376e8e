//! `splitbrain report-card`: how well the tool finds known mistakes, and that it raises no alarm
//! without one.
//!
//! Each mistake is made in each mode that can make it, under its plan and the seeds 1, 2, 3 and so on, until a
//! promise of the mode is seen broken; then the mode without the mistake has to keep its promise under the
//! same plan and seed. Besides, each mode runs under the default plan without any mistake. As many runs go at
//! once as there are cores: for most of its time a run waits.

mod cases;
mod row;
mod runs;

use std::time::Instant;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Exit, Failure, harness, usage};

use crate::plan::{Phases, Plan, Span};
use cases::{CASES, Case};
use row::Row;
use runs::Runs;

/// Flags of `report-card`.
#[derive(clap::Args)]
pub struct Args {
    /// Make the modes without mistakes run 50 times for 15 s, and not 10 times for 8 s.
    #[arg(long)]
    thorough: bool,
    /// Only this row, or these rows: `MODE/BUG`, or `MODE` for its runs without mistakes.
    #[arg(long, value_name = "MODE/BUG", value_delimiter = ',')]
    only: Vec<String>,
    /// How many runs go at once; as many as there are cores, if not said.
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// After so many runs without a finding a mistake counts as missed.
const MOST_RUNS: u64 = 20;

/// What runs without mistakes: every mode, and what can be told to promise more.
const CLEAN: [&str; 9] = [
    "raft",
    "single",
    "primary-backup",
    "primary-backup@replication=sync",
    "quorum",
    "read-replicas",
    "multi-primary",
    "gossip",
    "cache",
];

/// Makes the runs and prints the card.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let cases: Vec<&Case> = CASES.iter().filter(|case| wanted(&case.name())).collect();
    let clean: Vec<&str> = CLEAN.into_iter().filter(|mode| wanted(mode)).collect();
    let known = |name: &String| {
        CLEAN.contains(&name.as_str()) || CASES.iter().any(|case| case.name() == *name)
    };
    if let Some(unknown) = args.only.iter().find(|name| !known(name)) {
        let names: Vec<String> = CASES.iter().map(Case::name).collect();
        let names = [&CLEAN.map(str::to_owned)[..], &names].concat().join(", ");
        return Err(usage(anyhow::anyhow!("there is no row {unknown:?}; there are: {names}")));
    }

    let (count, limit) = if args.thorough { (50, 15_000) } else { (10, 8_000) };
    let plan = Plan { phases: Phases::for_time_limit(Span::from_ms(limit)), ..Plan::default() };
    let started = Instant::now();
    let runs = Runs::new().map_err(harness)?;
    let note = |row: anyhow::Result<Row>| row.inspect(|row| super::tell(&row.to_string()));
    let of_cases = || cases.par_iter().map(|case| Row::of_case(case, &runs, MOST_RUNS));
    let of_modes = || clean.par_iter().map(|mode| Row::of_mode(mode, &plan, &runs, count));
    let jobs = args.jobs.map_or(0, std::num::NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(harness)?;
    let rows: anyhow::Result<Vec<Row>> =
        pool.install(|| of_cases().chain(of_modes()).map(note).collect());
    let rows = rows.map_err(harness)?;
    let text = if args.json {
        card(&rows).to_string() + "\n"
    } else {
        table(&rows, started.elapsed().as_secs_f64())
    };
    super::print(&text).map_err(harness)?;
    Ok(if rows.iter().any(|row| row.met() == Some(false)) {
        Exit::Invalid
    } else if runs.interrupted() || rows.iter().any(|row| row.met().is_none()) {
        Exit::Unknown
    } else {
        Exit::Valid
    })
}

impl Case {
    /// How the row is called after `--only`: without what the mode is told.
    fn name(&self) -> String {
        format!("{}/{}", self.mode.split('@').next().unwrap_or_default(), self.bug)
    }

    /// The plan for the mode, with the mistake or without.
    fn plan(&self, mistaken: bool) -> anyhow::Result<Plan> {
        let bug = if mistaken { format!("+{}", self.bug) } else { String::new() };
        let target = format!("store/{}{bug}", self.mode);
        Plan::from_toml(&format!("target = {target:?}\n{}", self.plan))
    }
}

fn card(rows: &[Row]) -> Value {
    let false_alarms: usize = rows.iter().map(|row| row.false_alarms.len()).sum();
    let row = |row: &Row| {
        json!({
            "mode": row.mode, "bug": row.bug, "found": row.found, "rung": row.rung,
            "runs": row.runs, "seconds": (row.seconds * 10.0).round() / 10.0,
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({ "rows": rows, "false_alarms": false_alarms })
}

fn table(rows: &[Row], seconds: f64) -> String {
    let title = row::line(["mode", "bug", "", "by", "runs", "seconds"]);
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let mistakes = rows.iter().filter(|row| row.bug.is_some());
    let found = mistakes.clone().filter(|row| row.found == Some(true)).count();
    let false_alarms: usize = rows.iter().map(|row| row.false_alarms.len()).sum();
    let runs: f64 = rows.iter().map(|row| row.seconds).sum();
    format!(
        "\n{title}\n{lines}\n{found} of {} found, {false_alarms} false alarms, {runs:.0} s of runs in {seconds:.0} s\n",
        mistakes.count()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::databases::{BUGS, MODES, StoreTarget};

    #[test]
    fn every_mistake_in_every_mode_has_a_plan_and_every_mode_runs_without() {
        let listed: BTreeSet<String> = BUGS
            .iter()
            .flat_map(|bug| bug.modes.iter().map(|mode| format!("{mode}/{}", bug.name)))
            .collect();
        let planned: BTreeSet<String> = CASES.iter().map(Case::name).collect();
        assert_eq!(planned, listed);
        assert_eq!(planned.len(), CASES.len(), "a row is there twice");
        for mode in MODES {
            assert!(CLEAN.contains(&mode.name), "{}", mode.name);
        }
    }

    #[test]
    fn every_plan_is_understood_and_lasts_at_most_15_s() {
        for case in CASES {
            let plan = case.plan(true).unwrap_or_else(|error| panic!("{}: {error}", case.name()));
            let Phases { baseline, main, after, .. } = plan.phases;
            assert!(baseline.ms() + main.ms() + after.ms() <= 15_000, "{}", case.name());
            let nodes: Vec<String> = (1..=5).map(|node| format!("n{node}")).collect();
            let faults =
                plan.timeline(&nodes, 1).unwrap_or_else(|e| panic!("{}: {e:#}", case.name()));
            assert!(!faults.is_empty(), "{}", case.name());
            let target = plan.target.strip_prefix("store/").unwrap();
            assert_eq!(StoreTarget::parse(target).unwrap().to_string(), target);
        }
    }
}
