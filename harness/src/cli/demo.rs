//! `splitbrain demo`: the bundled store in its three modes, one after another.

use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Exit, Failure, harness};
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
    let mut rows = Vec::new();
    for (mode, class) in ROWS {
        if !args.json {
            eprintln!(
                "{mode}: {} of load, with partitions, a kill and a pause ...",
                args.time_limit
            );
        }
        let verdict = run(args, mode, class).map_err(harness)?;
        rows.push((mode, class, verdict));
    }
    let met = |class: &str, verdict: &Value| verdict["class"] == class;
    let text = if args.json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(mode, class, verdict)| {
                json!({
                    "mode": mode, "expected": class, "met": met(class, verdict),
                    "verdict": verdict,
                })
            })
            .collect();
        json!({ "format": 1, "rows": rows }).to_string() + "\n"
    } else {
        table(&rows)
    };
    super::print(&text).map_err(harness)?;
    let unknown = rows.iter().any(|(.., verdict)| verdict["class"].is_null());
    Ok(match (rows.iter().all(|(_, class, verdict)| met(class, verdict)), unknown) {
        (true, _) => Exit::Valid,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Invalid,
    })
}

/// One run; its verdict as JSON.
fn run(args: &Args, mode: &str, class: &str) -> anyhow::Result<Value> {
    let this = std::env::current_exe().context("where am I?")?;
    let output = Command::new(this)
        .args(["run", "--json", "--mode", mode, "--expect", class])
        .args(["--seed", &args.seed.to_string(), "--time-limit", &args.time_limit.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("a run cannot be started")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the run of mode {mode} gave no verdict ({})", output.status))
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
