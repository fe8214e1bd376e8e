//! `splitbrain demo`: the bundled store in its three modes, one after another.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

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
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, interrupted.clone()).map_err(harness)?;
    }
    let mut rows = Vec::new();
    for (mode, class) in ROWS {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        if !args.json {
            let limit = args.time_limit;
            super::tell(&format!("{mode}: {limit} of load, partitions, a kill and a pause ..."));
        }
        let verdict = run(args, mode, class, &interrupted).map_err(harness)?;
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

/// One run; its verdict as JSON. An interruption is passed on, and the run ends in order.
fn run(args: &Args, mode: &str, class: &str, interrupted: &AtomicBool) -> anyhow::Result<Value> {
    let this = std::env::current_exe().context("where am I?")?;
    let mut command = Command::new(this);
    command
        .args(["run", "--json", "--mode", mode, "--expect", class])
        .args(["--seed", &args.seed.to_string(), "--time-limit", &args.time_limit.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    // SAFETY: between fork and exec only one system call is made.
    unsafe { command.pre_exec(|| set_pdeathsig(Signal::SIGTERM).map_err(Into::into)) };
    let mut child = command.spawn().context("a run cannot be started")?;
    let mut output = child.stdout.take().context("it is piped")?;
    let verdict = std::thread::spawn(move || {
        let mut verdict = String::new();
        output.read_to_string(&mut verdict).map(|_| verdict)
    });
    let mut passed_on = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if !passed_on && interrupted.load(Ordering::Relaxed) {
            passed_on = true;
            kill(Pid::from_raw(child.id() as i32), Signal::SIGINT)?;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let verdict = verdict.join().map_err(|_| anyhow!("the reader has panicked"))??;
    serde_json::from_str(&verdict)
        .with_context(|| format!("the run of mode {mode} gave no verdict ({status})"))
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
