//! `splitbrain scale`: one run for each load, and what all of them say together.

mod text;

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use serde_json::Value;
use splitbrain_checker::history::{History, Phase};
use splitbrain_nemesis::faults::{Choice, Targets};

use super::child::Runs;
use super::{Exit, Failure, harness, usage};
use crate::plan::{FaultPlan, Nodes, Phases, Plan, Span, TargetsPlan, WorkloadPlan};
use crate::run::folder;
use crate::scale::{Fit, Part, Point, Problem, Slowed, fit, knee, problem};

/// Before it counts, a cluster has so long to get into its stride.
const WARM_UP: Span = Span::from_ms(1_000);
/// Clients for each node where operations come at a rate: enough that none waits for a client as
/// long as the system keeps up.
const CLIENTS_A_NODE: usize = 20;
/// Nobody waits longer.
const OP_TIMEOUT: Span = Span::from_ms(2_000);
/// A cluster without faults agrees sooner than one that has to recover.
const CONVERGE_WITHIN: Span = Span::from_ms(3_000);
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

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Axis {
    Clients,
    Rates,
    Nodes,
    Keys,
}

/// One place of the sweep.
#[derive(Clone, Copy, Debug)]
struct Setting {
    at: f64,
    /// A closed loop of so many, or a rate.
    load: Load,
    nodes: Option<usize>,
    keys: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Load {
    Clients(usize),
    Rate(f64),
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
    /// What grows, and all its values, the least first.
    fn settings(&self) -> anyhow::Result<(Axis, Vec<Setting>)> {
        if self.time_limit < Span::from_ms(1_000) {
            bail!("--time-limit {} is too short; at least 1s", self.time_limit);
        }
        if let Some(rate) = self.rates.iter().find(|rate| !(**rate > 0.0 && **rate <= 1e6)) {
            bail!("--rates {rate}: a rate is above 0 and at most 1000000 a second");
        }
        let numbers = [("clients", &self.clients), ("nodes", &self.nodes), ("keys", &self.keys)];
        if let Some((name, _)) = numbers.iter().find(|(_, values)| values.contains(&0)) {
            bail!("--{name} 0: at least 1");
        }
        let lengths = [
            (Axis::Clients, self.clients.len()),
            (Axis::Rates, self.rates.len()),
            (Axis::Nodes, self.nodes.len()),
            (Axis::Keys, self.keys.len()),
        ];
        let axes: Vec<Axis> =
            lengths.iter().filter(|(_, length)| *length > 1).map(|(axis, _)| *axis).collect();
        let axis = match axes[..] {
            [] if self.clients.is_empty() && self.rates.is_empty() => Axis::Clients,
            [axis] => axis,
            [] => bail!(
                "nothing grows: give several values to one of --clients, --rates, --nodes, --keys"
            ),
            _ => {
                bail!("only one of --clients, --rates, --nodes and --keys can have several values")
            }
        };
        let usual = [1, 2, 4, 8, 16, 32].map(|n| n as f64).to_vec();
        let as_numbers = |values: &[usize]| values.iter().map(|value| *value as f64).collect();
        let mut values: Vec<f64> = match axis {
            Axis::Clients if self.clients.is_empty() => usual,
            Axis::Clients => as_numbers(&self.clients),
            Axis::Rates => self.rates.clone(),
            Axis::Nodes => as_numbers(&self.nodes),
            Axis::Keys => as_numbers(&self.keys),
        };
        values.sort_by(f64::total_cmp);
        values.dedup();
        let setting = |at: f64| Setting {
            at,
            load: match (axis, self.rates.first(), self.clients.first()) {
                (Axis::Clients, ..) => Load::Clients(at as usize),
                (Axis::Rates, ..) => Load::Rate(at),
                (_, Some(rate), _) => Load::Rate(*rate),
                (.., clients) => Load::Clients(*clients.unwrap_or(&8)),
            },
            nodes: if axis == Axis::Nodes {
                Some(at as usize)
            } else {
                self.nodes.first().copied()
            },
            keys: if axis == Axis::Keys { Some(at as usize) } else { self.keys.first().copied() },
        };
        Ok((axis, values.into_iter().map(setting).collect()))
    }

    fn target(&self) -> String {
        match (&self.mode, &self.db) {
            (Some(mode), _) => format!("store/{mode}"),
            (None, Some(db)) => db.clone(),
            (None, None) => Plan::default().target,
        }
    }

    /// The plan of one run; `slow` makes its baseline as long as its main phase, for the fault.
    fn plan(&self, setting: &Setting, slow: bool) -> anyhow::Result<Plan> {
        let usual = WorkloadPlan::default();
        let (rate, clients) = match setting.load {
            Load::Clients(clients) => (usual.rate, Some(clients)),
            Load::Rate(rate) => (rate, None),
        };
        let fault = |choice: &Choice| FaultPlan {
            name: choice.fault.name.to_owned(),
            at: Some(Span::from_ms(0)),
            every: None,
            lasts: None,
            targets: Some(TargetsPlan::Word(choice.targets.to_string())),
            args: choice
                .args
                .given()
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.clone()))
                .collect(),
        };
        Ok(Plan {
            target: self.target(),
            environment: self.env.clone(),
            nodes: setting.nodes.map(Nodes::Count),
            workload: WorkloadPlan {
                keys: setting.keys.unwrap_or(usual.keys),
                // Keys that change hands seldom leave fewer to be read in the end.
                ops_per_key: 1_000,
                rate,
                concurrency: CLIENTS_A_NODE,
                clients,
                ..usual
            },
            phases: Phases {
                baseline: if slow { self.time_limit } else { WARM_UP },
                main: self.time_limit,
                after: Span::from_ms(0),
                converge_within: CONVERGE_WITHIN,
            },
            faults: Some(self.slow.iter().filter(|_| slow).map(fault).collect()),
            op_timeout: OP_TIMEOUT,
            expect: "weak".to_owned(),
            seed: Some(self.seed),
            ..Plan::default()
        })
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
