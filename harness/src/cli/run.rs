//! `splitbrain run`.

use std::path::PathBuf;

use anyhow::bail;

use super::{Exit, Failure, harness, usage};
use crate::plan::{Nodes, Phases, Plan, Span};
use crate::run;

/// Flags of `run`. Each goes before the plan's own value.
#[derive(clap::Args)]
pub struct Args {
    /// Mode of the bundled store.
    #[arg(long, conflicts_with = "db")]
    mode: Option<String>,
    /// A known mistake for the bundled store to make, such as `lost-fsync`.
    #[arg(long, conflicts_with = "db")]
    bug: Option<String>,
    /// Database to test instead of the bundled store.
    #[arg(long)]
    db: Option<String>,
    /// How many nodes to start, or with `--env external` their URLs, separated by commas.
    #[arg(long)]
    nodes: Option<String>,
    /// Where the nodes live: `local` (network namespaces on this machine), `proxy` (its loopback,
    /// without any rights) or `external`. By default `local` where that can be had, else `proxy`.
    #[arg(long)]
    env: Option<String>,
    /// What clients do.
    #[arg(long)]
    workload: Option<String>,
    /// Faults to inject in turn, separated by commas, each with its targets and what else it is
    /// told if need be: `halves,kill:majority,flapping@on=1s`. `none` for none.
    #[arg(long)]
    faults: Option<String>,
    /// Operations a second, over all nodes.
    #[arg(long)]
    rate: Option<f64>,
    /// Clients for each node.
    #[arg(long)]
    concurrency: Option<usize>,
    /// Length of the load: baseline, faults and aftermath together.
    #[arg(long, value_name = "DURATION")]
    time_limit: Option<Span>,
    /// Fixes the schedule of operations and faults.
    #[arg(long)]
    seed: Option<u64>,
    /// After this long a client gives up, and the operation may have happened.
    #[arg(long, value_name = "DURATION")]
    op_timeout: Option<Span>,
    /// An operation that takes longer counts as unavailable.
    #[arg(long, value_name = "DURATION")]
    deadline: Option<Span>,
    /// What the exit code answers: `linearizable`, `eventual` or `weak`, each meaning at least.
    #[arg(long)]
    expect: Option<String>,
    /// A plan in TOML, or the `plan.json` of an earlier run.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Print the result only.
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs, reports, and answers with the verdict's exit code.
pub fn main(args: Args) -> Result<Exit, Failure> {
    let (quiet, json) = (args.quiet, args.json);
    let plan = args.plan().map_err(usage)?;
    let prepared = run::prepare(plan)?;
    let ended = run::run(&prepared, quiet || json)?;
    ended.print(json).map_err(harness)?;
    Ok(ended.exit())
}

impl Args {
    /// The plan that the file and the flags make together.
    fn plan(self) -> anyhow::Result<Plan> {
        let mut plan = match &self.plan {
            Some(path) => Plan::read(path)?,
            None => Plan::default(),
        };
        match (self.mode, self.db) {
            (Some(mode), _) => plan.target = format!("store/{mode}"),
            (None, Some(db)) => plan.target = db,
            (None, None) => {}
        }
        if let Some(bug) = self.bug {
            plan.target = format!("{}+{bug}", plan.target);
        }
        if let Some(nodes) = self.nodes {
            plan.nodes = Some(match nodes.parse() {
                Ok(count) => Nodes::Count(count),
                Err(_) => Nodes::Urls(nodes.split(',').map(|url| url.trim().to_owned()).collect()),
            });
        }
        if let Some(limit) = self.time_limit {
            if limit.ms() < 1_000 {
                bail!("--time-limit {limit} is too short; at least 1s is needed");
            }
            plan.phases = Phases {
                converge_within: plan.phases.converge_within,
                ..Phases::for_time_limit(limit)
            };
        }
        plan.environment = self.env.or(plan.environment);
        plan.workload.name = self.workload.unwrap_or(plan.workload.name);
        plan.workload.rate = self.rate.unwrap_or(plan.workload.rate);
        plan.workload.concurrency = self.concurrency.unwrap_or(plan.workload.concurrency);
        plan.op_timeout = self.op_timeout.unwrap_or(plan.op_timeout);
        plan.deadline = self.deadline.unwrap_or(plan.deadline);
        plan.expect = self.expect.unwrap_or(plan.expect);
        plan.seed = self.seed.or(plan.seed);
        if let Some(faults) = self.faults {
            let seed = *plan.seed.get_or_insert_with(run::draw_seed);
            plan.faults = Some(plan.faults_in_turn(&faults, seed)?);
        }
        Ok(plan)
    }
}
