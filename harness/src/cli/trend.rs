//! `splitbrain trend`.

use std::path::PathBuf;

use chrono::{Duration, Utc};
use serde_json::{Map, Value, json};

use super::{Exit, Failure, harness, usage};
use crate::run::folder::STORE;
use crate::run::kept::Kept;
use crate::trend::{Answer, Gate, Metric, Night, latest, nights};

/// Flags of `trend`.
#[derive(clap::Args)]
#[command(after_help = "Metrics of --fail-if: class, success, p99, rto_p50, rto_p95, rto_max, \
    check, runs, invalid, operations; success and p99 are those of the main phase.\n\
    Exit codes: 0 no gate fails, 1 one does, 2 what one asks for was measured of no target.")]
pub struct Args {
    /// The store.
    #[arg(default_value = STORE)]
    store: PathBuf,
    /// Only this target, such as `store/raft`.
    #[arg(long)]
    target: Option<String>,
    /// Only what a suite of this name has run.
    #[arg(long)]
    suite: Option<String>,
    /// Only the last so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    days: u32,
    /// Fail if this holds of the last night of a target: `rto_p95 > 10s`, `class < linearizable`.
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Prints the nights and answers the gates.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let gates = args.fail_if.iter().map(|text| text.parse::<Gate>().map_err(anyhow::Error::msg));
    let gates: Vec<Gate> = gates.collect::<Result<_, _>>().map_err(usage)?;
    if !args.store.is_dir() {
        return Err(usage(anyhow::anyhow!("there is no store at {}", args.store.display())));
    }
    let mut runs = Kept::all(&args.store);
    let since = Utc::now() - Duration::days(i64::from(args.days));
    runs.retain(|run| {
        run.started >= since && args.target.as_ref().is_none_or(|target| *target == run.target)
    });
    if let Some(suite) = &args.suite {
        let of_suite: Vec<String> = crate::suite::before(&args.store, suite)
            .into_iter()
            .flatten()
            .filter_map(|row| row.run)
            .collect();
        // A row names its run as it was seen from where the suite ran.
        runs.retain(|run| {
            of_suite.iter().any(|name| std::path::Path::new(name).ends_with(run.path()))
        });
    }
    let nights = nights(&runs);
    let latest = latest(&nights);
    let asked = gates.iter().flat_map(|gate| latest.iter().map(move |night| (gate, *night)));
    let failing: Vec<String> = asked
        .filter(|(gate, night)| gate.ask(night) == Answer::Fails)
        .map(|(gate, night)| gate.told(night))
        .collect();
    let open: Vec<&str> = gates
        .iter()
        .filter(|gate| latest.iter().all(|night| gate.ask(night) == Answer::NotMeasured))
        .map(Gate::text)
        .collect();
    let text = match args.json {
        true => object(&nights, &failing, &open).to_string() + "\n",
        false => table(&nights, &failing, &open),
    };
    super::print(&text).map_err(harness)?;
    Ok(match (failing.is_empty(), open.is_empty()) {
        (false, _) => Exit::Invalid,
        (true, false) => Exit::Unknown,
        (true, true) => Exit::Valid,
    })
}

const COLUMNS: [(&str, Metric); 8] = [
    ("runs", Metric::Runs),
    ("invalid", Metric::Invalid),
    ("class", Metric::Class),
    ("success", Metric::Success),
    ("p99", Metric::P99),
    ("RTO p50", Metric::RtoP50),
    ("p95", Metric::RtoP95),
    ("check", Metric::Check),
];

fn table(nights: &[Night], failing: &[String], open: &[&str]) -> String {
    let mut text = String::new();
    let mut before = None;
    for night in nights {
        let of = (&night.target, &night.workload);
        if before.replace(of) != Some(of) {
            text += &format!("\n{} {}\n  {:<10}", night.target, night.workload, "night");
            text += &COLUMNS.map(|(name, _)| format!(" {name:>12}")).concat();
            text += "\n";
        }
        text += &format!("  {:<10}", night.date.to_string());
        text += &COLUMNS.map(|(_, it)| format!(" {:>12}", night.measured.shown(it))).concat();
        text += "\n";
    }
    if nights.is_empty() {
        text += "no run with a verdict\n";
    }
    text += if failing.is_empty() && open.is_empty() { "" } else { "\n" };
    text += &failing.iter().map(|told| format!("FAILS  {told}\n")).collect::<String>();
    text + &open.iter().map(|gate| format!("unknown  {gate}: not measured\n")).collect::<String>()
}

fn object(nights: &[Night], failing: &[String], open: &[&str]) -> Value {
    let night = |night: &Night| {
        let mut figures: Map<String, Value> = Metric::ALL
            .iter()
            .map(|(name, metric)| {
                let unit = if metric.is_time() { "_ms" } else { "" };
                (format!("{name}{unit}"), json!(night.measured.figure(*metric)))
            })
            .collect();
        figures.insert("class".to_owned(), json!(night.measured.class));
        figures.insert("target".to_owned(), json!(night.target));
        figures.insert("workload".to_owned(), json!(night.workload));
        figures.insert("night".to_owned(), json!(night.date));
        Value::from(figures)
    };
    let nights: Vec<Value> = nights.iter().map(night).collect();
    json!({ "format": 1, "nights": nights, "failing": failing, "not_measured": open })
}
