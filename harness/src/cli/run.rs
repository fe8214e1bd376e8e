//! `splitbrain run`.

use std::path::PathBuf;

use anyhow::{anyhow, bail};

use super::workload::WorkloadArgs;
use super::{Exit, Failure, harness, usage};
use crate::databases::Given;
use crate::plan::{Nodes, Phases, Plan, Span};
use crate::run::{self, Ended, Watching};

/// Flags of `run`. Each goes before the plan's own value.
#[derive(clap::Args)]
pub struct Args {
    /// Mode of the bundled store, and what it is told: `MODE[@OPTION=VALUE[+OPTION=VALUE]...]`.
    #[arg(long, conflicts_with = "db")]
    mode: Option<String>,
    /// A known mistake for the bundled store to make, such as `lost-fsync`; see `list bugs`.
    #[arg(long, conflicts_with = "db")]
    bug: Option<String>,
    /// Database to test instead of the bundled store, and what it is told:
    /// `NAME[@OPTION=VALUE[+OPTION=VALUE]...]`; see `list databases`.
    #[arg(long)]
    db: Option<String>,
    /// Tell the database something more.
    #[arg(long, value_name = "NAME=VALUE", requires = "db")]
    db_option: Vec<String>,
    #[command(flatten)]
    given: Given,
    /// How many nodes to start, or with `--env external` their URLs, or with `--env ssh` the
    /// hosts: `[USER@]HOST[:PORT][=ADDRESS]`, separated by commas.
    #[arg(long)]
    nodes: Option<String>,
    /// Where the nodes live: `local` (network namespaces on this machine), `proxy` (its loopback,
    /// without any rights), `ssh` (existing hosts) or `external`. By default `local` where that can be had, else `proxy`.
    #[arg(long)]
    env: Option<String>,
    #[command(flatten)]
    ssh: SshArgs,
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Faults to inject in turn, separated by commas, each with its targets and what else it is
    /// told if need be: `halves,kill:majority,flapping@on=1s`. `none` for none.
    #[arg(long)]
    faults: Option<String>,
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
    /// What the exit code answers: `linearizable`, `eventual` or `weak`, each meaning at least; a
    /// consistency model such as `causal`; or `cp`, `ap` or `ca`.
    #[arg(long)]
    expect: Option<String>,
    /// A plan in TOML, or the `plan.json` of an earlier run.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Have the checker follow the run, and say at once if it is not linearizable.
    #[arg(long)]
    live: bool,
    /// End the run as soon as it is certain that it is not what was expected.
    #[arg(long, value_name = "VERDICT")]
    until: Option<Until>,
    /// Print the result only.
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What ends a run.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Until {
    /// A violation of linearizability.
    Invalid,
}

/// Flags for `--env ssh`.
#[derive(clap::Args)]
#[command(next_help_heading = "Hosts (--env ssh)")]
struct SshArgs {
    /// Private key to log in with; by default what `ssh` finds by itself. Passwords are not asked.
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// Configuration of `ssh` in place of your own.
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Become root on the hosts by `sudo`, which must not ask for a password.
    #[arg(long)]
    sudo: bool,
    /// How long a host waits for a silent splitbrain before it undoes everything (30s).
    #[arg(long, value_name = "DURATION")]
    lease: Option<Span>,
    /// Yes, these hosts are mine, and their network and processes may be broken.
    #[arg(long)]
    i_own_these_hosts: bool,
}

impl SshArgs {
    /// Puts what was given into the plan.
    fn apply(self, plan: &mut Plan) {
        plan.own_hosts = self.i_own_these_hosts;
        if self.ssh_key.is_none() && self.ssh_config.is_none() && !self.sudo && self.lease.is_none()
        {
            return;
        }
        let ssh = plan.ssh.get_or_insert_default();
        ssh.key = self.ssh_key.or(ssh.key.take());
        ssh.config = self.ssh_config.or(ssh.config.take());
        ssh.sudo |= self.sudo;
        ssh.lease = self.lease.unwrap_or(ssh.lease);
    }
}

/// Runs, reports, and answers with the verdict's exit code.
pub fn main(args: Args) -> Result<Exit, Failure> {
    let (quiet, json) = (args.quiet, args.json);
    let ended = args.run(quiet || json)?;
    ended.print(json).map_err(harness)?;
    Ok(ended.exit())
}

impl Args {
    /// What is expected, if that was said.
    pub fn expect(&self) -> Option<&str> {
        self.expect.as_deref()
    }

    /// Whether only the result is to be printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether it is to be printed as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Runs the plan that the file and the flags make together.
    pub fn run(self, quiet: bool) -> Result<Ended, Failure> {
        let watching = match (self.until, self.live) {
            (Some(Until::Invalid), _) => Watching::UntilInvalid,
            (None, true) => Watching::Live,
            (None, false) => Watching::Not,
        };
        let prepared = run::prepare(self.plan().map_err(usage)?)?;
        if watching == Watching::UntilInvalid && !prepared.expect.is_refuted_early() {
            let why = format!(
                "what comes at the end may still make it {0}, so --until invalid does not go with --expect {0}",
                prepared.expect
            );
            return Err(usage(anyhow!(why)));
        }
        run::run(&prepared, quiet, watching)
    }

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
        for option in self.db_option {
            let before = if plan.target.contains('@') { '+' } else { '@' };
            plan.target = format!("{}{before}{option}", plan.target);
        }
        plan.given = self.given.or(plan.given);
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
        self.ssh.apply(&mut plan);
        self.workload.apply(&mut plan.workload);
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
