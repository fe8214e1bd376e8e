//! `splitbrain scale`: one run for each load, and what all of them say together.

mod settings;
mod text;

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use serde_json::Value;
use splitbrain_checker::history::{History, Phase};
use splitbrain_nemesis::faults::{Choice, Targets};

use super::child::Runs;
use super::{Exit, Failure, harness, usage};
use crate::plan::{Plan, Span};
use crate::run::folder;
use crate::scale::{Fit, Part, Point, Problem, Slowed, fit, knee, problem};
use settings::{Axis, Load, Setting};

/// The bootstrap's.
const SEED: u64 = 1;

/// Flags of `scale`.
#[derive(clap::Args)]
#[command(
    after_help = "Exactly one of --clients, --rates, --nodes and --keys has several values: that is what \
    grows (1,2,4,8,16,32 clients if none has). Clients work in a closed loop, which shows what the \
    system carries; rates are an open loop, which shows how long users wait."
)]
pub struct Args {
    /// Mode of the bundled store.
    #[arg(long, conflicts_with = "db")]
    mode: Option<String>,
    /// Database to test instead of the bundled store.
    #[arg(long)]
    db: Option<String>,
    /// Where the nodes live: `local` or `proxy`.
    #[arg(long)]
    env: Option<String>,
    /// Clients over all nodes, each of which asks again as soon as it is answered.
    #[arg(long, value_delimiter = ',', conflicts_with = "rates")]
    clients: Vec<usize>,
    /// Operations a second over all nodes, due at their times whatever the system does.
    #[arg(long, value_delimiter = ',')]
    rates: Vec<f64>,
    /// Nodes of the cluster.
    #[arg(long, value_delimiter = ',')]
    nodes: Vec<usize>,
    /// Objects worked on at the same time.
    #[arg(long, value_delimiter = ',')]
    keys: Vec<usize>,
    /// How long each load lasts, after a second that does not count.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    time_limit: Span,
    /// How long a user may wait at the 95th percentile; longer is slow.
    #[arg(long, value_name = "DURATION", default_value = "100ms")]
    acceptable: Span,
    /// One more run, with the most load, in which a fault slows one node: `cpu:n2@10%`,
    /// `delay:n2@20ms`. Does the whole slow down in proportion, or collapse?
    #[arg(long, value_name = "FAULT")]
    slow: Option<Choice>,
    /// Fixes the schedule of operations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// All that a sweep says, as it is printed with `--json`.
#[derive(Serialize)]
struct Sweep {
    format: u32,
    target: String,
    axis: Axis,
    mode: &'static str,
    acceptable_ms: u64,
    points: Vec<Point>,
    /// Null where the axis is not a load.
    problem: Option<Problem>,
    /// Where it gets slow.
    slow_from: Option<f64>,
    knee: Option<f64>,
    /// Null if it could not be fitted; then `usl_reason` says why.
    usl: Option<Fit>,
    usl_reason: Option<String>,
    slowed: Option<Slowed>,
}

/// Runs each load in turn and prints what they say.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let (axis, settings) = args.settings().map_err(usage)?;
    args.slowed_node().map_err(usage)?;
    let runs = Runs::new().map_err(harness)?;
    let mut points: Vec<Point> = Vec::new();
    for setting in &settings {
        if runs.interrupted() {
            break;
        }
        super::tell(&format!("{} ...", text::setting(axis, setting.at)));
        match args.point(&runs, setting) {
            Ok(point) => points.push(point),
            // A run that was ended early has nothing to say; what came before it has.
            Err(_) if runs.interrupted() => break,
            Err(error) => return Err(harness(error)),
        }
    }
    let slowed = match (&args.slow, settings.last()) {
        (Some(_), Some(setting)) if !runs.interrupted() => {
            super::tell("one node slowed ...");
            Some(args.slowed(&runs, setting).map_err(harness)?)
        }
        _ => None,
    };
    let sweep = args.sweep(axis, &settings, points, slowed);
    let shown = if args.json {
        serde_json::to_string(&sweep).map(|text| text + "\n").map_err(harness)?
    } else {
        text::render(&sweep)
    };
    super::print(&shown).map_err(harness)?;
    Ok(if runs.interrupted() { Exit::Unknown } else { Exit::Valid })
}

impl Args {
    fn target(&self) -> String {
        match (&self.mode, &self.db) {
            (Some(mode), _) => format!("store/{mode}"),
            (None, Some(db)) => db.clone(),
            (None, None) => Plan::default().target,
        }
    }

    /// Runs a plan; its verdict and history.
    fn run(&self, runs: &Runs, setting: &Setting, slow: bool) -> anyhow::Result<(Value, History)> {
        let mut file = tempfile::Builder::new().suffix(".json").tempfile()?;
        serde_json::to_writer(&mut file, &self.plan(setting, slow)?)?;
        let path = file.path().to_str().context("the temporary folder has no readable name")?;
        let verdict = runs.run(&["--plan", path])?;
        let run = verdict["run"].as_str().context("the run was not kept")?;
        let history = History::open(folder::history_of(Path::new(run)))?;
        Ok((verdict, history))
    }

    fn point(&self, runs: &Runs, setting: &Setting) -> anyhow::Result<Point> {
        let (verdict, history) = self.run(runs, setting, false)?;
        let word = |name: &str| verdict[name].as_str().map(str::to_owned);
        let main = Part::phase(&history, Phase::Main);
        let main = main.ok_or_else(|| anyhow!("the run ended early: {}", verdict["reason"]))?;
        Ok(main.point(setting.at, word("class"), word("run").unwrap_or_default()))
    }

    /// The node that is to be slow.
    fn slowed_node(&self) -> anyhow::Result<Option<&str>> {
        let Some(choice) = &self.slow else { return Ok(None) };
        match &choice.targets {
            Targets::Named(names) if names.len() == 1 => Ok(Some(&names[0])),
            _ => bail!("--slow {choice}: name the one node that is to be slow, as in cpu:n2@10%"),
        }
    }

    fn slowed(&self, runs: &Runs, setting: &Setting) -> anyhow::Result<Slowed> {
        let (Some(choice), Some(node)) = (&self.slow, self.slowed_node()?) else {
            bail!("no node is to be slow")
        };
        let (verdict, history) = self.run(runs, setting, true)?;
        let fault = &verdict["faults"][0];
        if fault["effect"] != "installed" {
            bail!("{choice} was not in force: {}", fault["reason"]);
        }
        let main = history.start_of(Phase::Main).context("the run ended early")?;
        let took_ms = fault["decided_to_in_force_ms"].as_f64().unwrap_or(0.0);
        let since_ns = main.time_ns + (took_ms * 1e6) as u64;
        Slowed::of(&history, choice.to_string(), node.to_owned(), since_ns)
            .with_context(|| format!("{node} or the others answered nothing before it was slowed"))
    }

    fn sweep(
        &self,
        axis: Axis,
        settings: &[Setting],
        points: Vec<Point>,
        slowed: Option<Slowed>,
    ) -> Sweep {
        let acceptable_ms = self.acceptable.ms();
        let is_load = matches!(axis, Axis::Clients | Axis::Rates);
        let closed = matches!(settings.first(), Some(Setting { load: Load::Clients(_), .. }));
        let found = problem(&points, acceptable_ms as f64, axis == Axis::Rates);
        let found = found.filter(|_| is_load);
        let law = match axis {
            Axis::Clients | Axis::Nodes => fit(&points, SEED),
            Axis::Rates => Err("the law is of clients or nodes, not of rates".to_owned()),
            Axis::Keys => Err("the law is of clients or nodes, not of data".to_owned()),
        };
        let (usl, usl_reason) = match law {
            Ok(law) => (Some(law), None),
            Err(why) => (None, Some(why)),
        };
        Sweep {
            format: 1,
            target: self.target(),
            axis,
            mode: if closed { "throughput" } else { "latency" },
            acceptable_ms,
            problem: found.map(|(problem, _)| problem),
            slow_from: found.and_then(|(_, point)| point).map(|point| point.at),
            knee: is_load.then(|| knee(&points)).flatten().map(|point| point.at),
            usl,
            usl_reason,
            slowed,
            points,
        }
    }
}
