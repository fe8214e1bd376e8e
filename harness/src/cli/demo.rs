//! `splitbrain demo`: the bundled store in its three modes, one after another.

use anyhow::anyhow;
use serde_json::{Value, json};

use super::child::Runs;
use super::{Exit, Failure, harness, usage};
use crate::plan::Span;

/// Flags of `demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Fixes the schedule of operations and faults of each run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Length of each run's load.
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    time_limit: Span,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What each mode is expected to show itself to be.
const ROWS: [(&str, &str); 3] =
    [("raft", "linearizable"), ("gossip", "eventual"), ("cache", "weak")];

/// Runs each mode in a process of its own and prints one table.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    if args.time_limit < Span::from_ms(1_000) {
        return Err(usage(anyhow!("--time-limit {} is too short; at least 1s", args.time_limit)));
    }
    let runs = Runs::new().map_err(harness)?;
    let mut rows = Vec::new();
    for (mode, class) in ROWS {
        if runs.interrupted() {
            break;
        }
        if !args.json {
            let limit = args.time_limit;
            super::tell(&format!("{mode}: {limit} of load, partitions, a kill and a pause ..."));
        }
        let (seed, limit) = (args.seed.to_string(), args.time_limit.to_string());
        let flags = ["--mode", mode, "--expect", class, "--seed", &seed, "--time-limit", &limit];
        let verdict = runs.run(&flags).map_err(harness)?;
        rows.push((mode, class, verdict));
    }
    let text = if args.json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(mode, class, verdict)| {
                let met = met(class, verdict) == Some(true);
                json!({ "mode": mode, "expected": class, "met": met, "verdict": verdict })
            })
            .collect();
        json!({ "format": 1, "rows": rows }).to_string() + "\n"
    } else {
        table(&rows)
    };
    super::print(&text).map_err(harness)?;
    let answers: Vec<_> = rows.iter().map(|(_, class, verdict)| met(class, verdict)).collect();
    Ok(if answers.contains(&Some(false)) {
        Exit::Invalid
    } else if answers.contains(&None) || answers.len() < ROWS.len() {
        Exit::Unknown
    } else {
        Exit::Valid
    })
}

/// Whether a row shows what it was expected to show; nothing if that is unknown.
fn met(class: &str, verdict: &Value) -> Option<bool> {
    let seen = verdict["class"].as_str()?;
    (verdict["verdict"] != "unknown").then_some(seen == class)
}

fn table(rows: &[(&str, &str, Value)]) -> String {
    let mut text = format!(
        "\n{:<8} {:<13} {:<13} {:<8} {:>9} {:>9}  {}\n",
        "mode", "expected", "class", "CAP", "majority", "minority", "kept in"
    );
    for (mode, expected, verdict) in rows {
        let word = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
        let (majority, minority) = success(verdict);
        text += &format!(
            "{mode:<8} {expected:<13} {:<13} {:<8} {majority:>9} {minority:>9}  {}\n",
            word(&verdict["class"]),
            word(&verdict["cap"]),
            word(&verdict["run"]),
        );
    }
    text + "\nmajority, minority: operations that succeeded on each side while partitioned.\n"
}

/// Success on the majority's side and on the others, over all judged cuts.
fn success(verdict: &Value) -> (String, String) {
    let mut shares = [(0.0, 0.0); 2];
    let windows = verdict["cap_windows"].as_array().into_iter().flatten();
    let judged = windows.filter(|window| window["not_judged"].is_null());
    for side in judged.flat_map(|window| window["sides"].as_array().into_iter().flatten()) {
        let (answered, asked) = &mut shares[usize::from(side["majority"] != true)];
        for part in ["read_success", "write_success"].map(|name| side[name].as_f64()) {
            *answered += part.unwrap_or(0.0);
            *asked += f64::from(u8::from(part.is_some()));
        }
    }
    let show = |(answered, asked): (f64, f64)| match asked {
        0.0 => "-".to_owned(),
        asked => format!("{:.1} %", 100.0 * answered / asked),
    };
    (show(shares[0]), show(shares[1]))
}
