//! Everything that can be wrong with a plan is found here, before anything is started.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use splitbrain_checker::Expectation;
use splitbrain_nemesis::Capability;
use splitbrain_nemesis::clock::asks_libc;
use splitbrain_nemesis::disk;
use splitbrain_nemesis::faults::{Choice, Scene};
use splitbrain_nemesis::schedule::{self, Step};
use splitbrain_workloads::Workload;
use splitbrain_workloads::objects::{self, Settings};

use crate::cli::{Failure, harness, usage};
use crate::databases::{self, Database, Program, login};
use crate::environments::{self, Access, Host};
use crate::plan::{FaultPlan, Nodes, Plan, Span};
use crate::report::Question;

/// Most nodes of a cluster on one machine.
const NODES_MOST: usize = 50;

/// Most clients, spare ones included.
const CLIENTS_MOST: usize = 20_000;
/// Longest phase.
const LONGEST: Span = Span::from_ms(24 * 3_600_000);

/// A plan that can be run: complete, and all its names resolved.
pub struct Prepared {
    /// The plan, with nothing left open.
    pub plan: Plan,
    /// The driver of the target.
    pub database: Arc<dyn Database>,
    /// Where the nodes live.
    pub site: SitePlan,
    /// What clients do.
    pub workload: &'static Workload,
    /// What breaks.
    pub timeline: Vec<Step>,
    /// Names of the nodes.
    pub nodes: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// What the verdict answers.
    pub expect: Expectation,
}

/// Where the nodes live.
pub enum SitePlan {
    /// Started by the harness, from this program.
    Started(Program, Engine),
    /// Running already, at these URLs.
    External(Vec<String>),
}

/// What carries packets between nodes that are started by the harness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The kernel: the environment `local`.
    Kernel,
    /// The harness: the environment `proxy`. If that was not asked for: why it has to be.
    Proxy {
        /// What the environment `local` lacks here.
        instead: Option<String>,
    },
    /// The network of these hosts.
    Hosts(Vec<Host>, Access),
}

impl Engine {
    /// Why faults that need this can never be had, if they cannot.
    fn lacks(&self, capability: Capability) -> Option<String> {
        match self {
            Engine::Kernel => None,
            Engine::Proxy { .. } => environments::proxy::lacks(capability),
            Engine::Hosts(..) => environments::ssh::lacks(capability),
        }
    }
}

/// Checks and completes a plan.
pub fn prepare(mut plan: Plan) -> Result<Prepared, Failure> {
    let database: Arc<dyn Database> =
        databases::open(&plan.target, &plan.given).map_err(|error| usage(anyhow!(error)))?;
    plan.target = database.target();
    check_figures(&plan).map_err(usage)?;
    let workload = objects::find(&plan.workload.name)
        .with_context(|| {
            let names: Vec<&str> = objects::ALL.iter().map(|workload| workload.name).collect();
            format!(
                "no workload is named {:?}; there are: {}",
                plan.workload.name,
                names.join(", ")
            )
        })
        .map_err(usage)?;
    plan.workload.check(workload).map_err(usage)?;
    is_served(workload, &plan, &*database).map_err(usage)?;
    let expect = plan.expect.parse::<Expectation>().map_err(usage)?;
    let engine = engine(&mut plan, &*database).map_err(usage)?;
    let urls = urls(&plan, &*database).map_err(usage)?;
    if let Some(urls) = &urls {
        login::take(&*database, urls).map_err(|error| usage(anyhow!(error)))?;
    }
    let count = match (&urls, &plan.nodes) {
        (Some(urls), _) | (None, Some(Nodes::Urls(urls))) => urls.len(),
        (None, Some(Nodes::Count(count))) => *count,
        (None, _) => database.default_nodes(),
    };
    if let Some(why) = database.alone().filter(|_| urls.is_none() && count > 1) {
        return Err(usage(anyhow!("{} has one node, not {count}: {why}", plan.target)));
    }
    if let Some(clients) = plan.workload.clients {
        plan.workload.concurrency = clients.div_ceil(count.max(1));
    }
    check_clients(&plan, count).map_err(usage)?;
    let nodes: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
    let seed = *plan.seed.get_or_insert_with(draw_seed);
    if urls.is_some() && plan.faults.as_ref().is_some_and(|faults| !faults.is_empty()) {
        let why = "faults need nodes of ours; with the environment external there are only \
                   addresses (leave --faults out, or say --faults none)";
        return Err(usage(anyhow!(why)));
    }
    let asked = plan.faults.is_some();
    let mut timeline = plan.timeline(&nodes, seed).map_err(usage)?;
    if asked {
        timeline.iter().try_for_each(|step| can_be_had(step, &nodes)).map_err(usage)?;
        timeline.iter().try_for_each(|step| is_offered(step, &*database)).map_err(usage)?;
    } else if urls.is_none() {
        timeline.retain(|step| can_be_had(step, &nodes).is_ok());
    }
    if !matches!(engine, Engine::Hosts(..)) {
        plan.nodes = Some(urls.clone().map_or(Nodes::Count(count), Nodes::Urls));
    } else if !timeline.is_empty() && !plan.own_hosts {
        let why = "faults break the network and the processes of these hosts: say \
                   --i-own-these-hosts, or --faults none";
        return Err(usage(anyhow!(why)));
    }
    if urls.is_none() {
        plan.faults = Some(timeline.iter().map(FaultPlan::from).collect());
    }
    let timeline = schedule::with_beats(&timeline, plan.phases.main.ms());
    let site = match urls {
        Some(urls) => SitePlan::External(urls),
        None => SitePlan::Started(database.find().map_err(harness)?, engine),
    };
    let prepared = Prepared { plan, database, site, workload, timeline, nodes, seed, expect };
    if asked {
        prepared.check_machine().map_err(usage)?;
    }
    if let SitePlan::Started(_, engine) = &prepared.site
        && let Some(why) = engine.lacks(Capability::Disks).filter(|_| prepared.plan.disk)
    {
        return Err(usage(anyhow!("the plan asks for disks that can fail, but: {why}")));
    }
    Ok(prepared)
}

impl Prepared {
    /// What its history is asked.
    pub fn question(&self) -> Question {
        Question { expect: Some(self.expect), ..Question::default() }
    }

    /// Whether this machine and the program let the faults be had that were asked for.
    fn check_machine(&self) -> anyhow::Result<()> {
        let SitePlan::Started(program, engine) = &self.site else { return Ok(()) };
        for step in &self.timeline {
            let fault = step.choice.fault;
            let why = engine.lacks(fault.needs).or_else(|| match fault.needs {
                Capability::Disks => disk::available().err(),
                Capability::Clocks => asks_libc(&program.path).err().map(|why| why.to_string()),
                _ => None,
            });
            if let Some(why) = why {
                bail!("the fault {} cannot be had here: {why}", fault.name);
            }
        }
        Ok(())
    }
}

/// A client has connections of its own, so there is an end to how many can be had.
fn check_clients(plan: &Plan, nodes: usize) -> anyhow::Result<()> {
    let clients = plan.limits().workers(nodes);
    if clients > CLIENTS_MOST {
        bail!(
            "{clients} clients would be needed ({nodes} nodes, {} a node, and for each that hangs \
             spare ones until {} have passed); allowed are {CLIENTS_MOST}",
            plan.workload.concurrency,
            plan.op_timeout
        );
    }
    Ok(())
}

/// Whether a cluster of these nodes is large enough for a fault.
fn can_be_had(step: &Step, nodes: &[String]) -> anyhow::Result<()> {
    let Choice { fault, targets, args } = &step.choice;
    let scene = Scene { nodes, leaders: &[], targets, args, beat: step.beat, seed: step.seed };
    match (fault.decide)(&scene) {
        Ok(_) => Ok(()),
        Err(skip) => bail!("the fault {} cannot be had: {skip}", fault.name),
    }
}

/// Whether the database has what a fault works through.
fn is_offered(step: &Step, database: &dyn Database) -> anyhow::Result<()> {
    let fault = step.choice.fault;
    if fault.needs == Capability::Members && database.administration().is_none() {
        let target = database.target();
        bail!("the fault {} cannot be had: {target} has no administration of members", fault.name);
    }
    Ok(())
}

/// Whether the database speaks what a workload needs.
fn is_served(workload: &Workload, plan: &Plan, database: &dyn Database) -> anyhow::Result<()> {
    let settings = plan.workload.settings(database);
    let nowhere = vec![format!("{}://127.0.0.1:1", database.scheme()); database.default_nodes()];
    let clients = database.clients(nowhere, String::new());
    let served: Vec<&str> = clients.names().collect();
    let speaks = |workload: &&&Workload| served.contains(&(workload.load)(&settings).vocabulary());
    if speaks(&&workload) {
        let asked = (workload.load)(&settings).vocabulary();
        if plan.workload.value_bytes.is_some() && !clients.texts().any(|name| name == asked) {
            let texts: Vec<&str> = clients.texts().collect();
            bail!(
                "workload.value_bytes cannot be had: {} keeps the values of {asked} as numbers; it keeps texts \
                 of: {}",
                plan.target,
                if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
            );
        }
        return Ok(());
    }
    let usual = (workload.load)(&Settings::default()).vocabulary();
    if served.contains(&usual) {
        let asked = (workload.load)(&settings).vocabulary();
        bail!(
            "{} serves {} as it usually is ({usual}), but not as it is set ({asked})",
            plan.target,
            workload.name
        );
    }
    let names: Vec<&str> =
        objects::ALL.iter().filter(speaks).map(|workload| workload.name).collect();
    bail!("{} does not serve {}; it serves: {}", plan.target, workload.name, names.join(", "))
}

fn check_figures(plan: &Plan) -> anyhow::Result<()> {
    if plan.op_timeout.ms() == 0 || plan.deadline.ms() == 0 {
        bail!("op_timeout and deadline must be above zero");
    }
    let phases = &plan.phases;
    let longest = [phases.baseline, phases.main, phases.after, phases.converge_within];
    if let Some(long) = longest.into_iter().find(|span| *span > LONGEST) {
        bail!("a phase of {long} is too long; allowed are at most {LONGEST}");
    }
    if plan.deadline > plan.op_timeout {
        bail!(
            "the deadline ({}) is longer than the time limit of an operation ({})",
            plan.deadline,
            plan.op_timeout
        );
    }
    Ok(())
}

/// Chooses the environment if the plan does not, and what carries its packets.
fn engine(plan: &mut Plan, database: &dyn Database) -> anyhow::Result<Engine> {
    if plan.ssh.is_some() && plan.environment.as_deref() != Some("ssh") {
        bail!("how hosts are reached matters for the environment ssh only (--env ssh)");
    }
    let engine = match plan.environment.as_deref() {
        Some("ssh") => {
            let (hosts, access) = plan.ssh_hosts()?;
            Engine::Hosts(hosts, access)
        }
        Some("proxy") => Engine::Proxy { instead: None },
        Some(_) => Engine::Kernel,
        None => {
            let (name, engine) = match environments::kernel_links() {
                Ok(()) => ("local", Engine::Kernel),
                Err(why) => ("proxy", Engine::Proxy { instead: Some(why) }),
            };
            plan.environment = Some(name.to_owned());
            engine
        }
    };
    if let (Engine::Proxy { instead }, Some(why)) = (&engine, database.needs_own_addresses()) {
        let instead = instead.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        bail!("{} cannot live behind proxies: {why}; use --env local{instead}", plan.target);
    }
    Ok(engine)
}

/// The addresses of an external cluster; nothing for one that is started here.
fn urls(plan: &Plan, database: &dyn Database) -> anyhow::Result<Option<Vec<String>>> {
    let scheme = database.scheme();
    let secret = database.secret_scheme();
    let both = secret.map_or(scheme.to_owned(), |secret| format!("{scheme} or {secret}"));
    match (plan.environment.as_deref().unwrap_or_default(), &plan.nodes) {
        ("external", Some(Nodes::Urls(urls))) if !urls.is_empty() => urls
            .iter()
            .enumerate()
            .map(|(index, url)| {
                if urls[..index].contains(url) {
                    bail!("node {} has the same URL as another", index + 1);
                }
                let parsed = reqwest::Url::parse(url).with_context(|| {
                    format!("node {} has no URL such as {scheme}://10.0.0.1:2379", index + 1)
                })?;
                let more = !["", "/"].contains(&parsed.path())
                    || parsed.query().is_some()
                    || parsed.fragment().is_some()
                    || !parsed.username().is_empty()
                    || parsed.password().is_some();
                let spoken = parsed.scheme() == scheme || Some(parsed.scheme()) == secret;
                if !spoken || !parsed.has_host() || more {
                    // Not the URL itself: it may hold a password.
                    bail!(
                        "node {}: only {both}://HOST:PORT can be spoken to; a user and a password \
                         are told in SPLITBRAIN_DB_USER and SPLITBRAIN_DB_PASSWORD",
                        index + 1
                    );
                }
                Ok(url.trim_end_matches('/').to_owned())
            })
            .collect::<anyhow::Result<Vec<String>>>()
            .map(Some),
        ("external", _) => {
            bail!(
                "the environment external needs the nodes' URLs: --nodes {scheme}://HOST:PORT,..."
            )
        }
        (own @ ("local" | "proxy"), Some(Nodes::Urls(urls))) => bail!(
            "the environment {own} starts its own nodes, so --nodes takes a number, not {:?} \
             (for a running cluster add --env external)",
            urls.join(",")
        ),
        ("local" | "proxy", Some(Nodes::Count(count))) if !(1..=NODES_MOST).contains(count) => {
            bail!("{count} nodes cannot be; allowed are 1 to {NODES_MOST}")
        }
        ("local" | "proxy" | "ssh", _) => Ok(None),
        (other, _) => {
            let names: Vec<&str> = environments::ALL.iter().map(|(name, _)| *name).collect();
            bail!("no environment is named {other:?}; there are: {}", names.join(", "))
        }
    }
}

/// Small enough to be typed again.
pub fn draw_seed() -> u64 {
    u64::from(chrono::Utc::now().timestamp_subsec_nanos()) % 1_000_000
}
