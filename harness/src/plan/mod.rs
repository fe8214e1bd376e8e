//! The plan of a run: everything that decides what it does.
//!
//! People write it as TOML; every run leaves its own as `plan.json`, complete, so that the same
//! schedule can be run again.

mod places;
mod span;
mod ssh;
mod workload;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use splitbrain_nemesis::faults::{Choice, Targets};
use splitbrain_nemesis::schedule::{self, Step, Timeline};

use places::Places;
pub use span::Span;
pub use ssh::SshPlan;
pub use workload::WorkloadPlan;

use crate::databases::{self, Given};
use crate::interpreter::Limits;

/// Everything that decides what a run does. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// What is tested: `store/raft`, `store/gossip`, `etcd`, ...
    pub target: String,
    /// Where the nodes live: `local`, `proxy`, `ssh` or `external`. Absent: `local` where that can be
    /// had, else `proxy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Programs and files of the user's own, for the databases that are made of them.
    #[serde(skip_serializing_if = "Given::is_empty")]
    pub given: Given,
    /// How many nodes are started, or the URLs of a cluster that is running already, or hosts for
    /// the environment `ssh`.
    pub nodes: Option<Nodes>,
    /// How hosts are reached, for the environment `ssh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshPlan>,
    /// Whether the user says that these hosts may be broken; each time anew, so never kept.
    #[serde(skip)]
    pub own_hosts: bool,
    /// What clients do.
    pub workload: WorkloadPlan,
    /// How long it takes.
    pub phases: Phases,
    /// What breaks, with times from the beginning of the main phase. Absent: the default plan.
    pub faults: Option<Vec<FaultPlan>>,
    /// Whether the nodes' data lies on a disk that can fail even if no fault asks for it.
    pub disk: bool,
    /// After this long a client gives up, and the operation may have happened.
    pub op_timeout: Span,
    /// An operation that takes longer counts as unavailable.
    pub deadline: Span,
    /// What the verdict answers: `linearizable`, `eventual` or `weak`.
    pub expect: String,
    /// Fixes the schedule of operations and faults. Absent: drawn and printed.
    pub seed: Option<u64>,
    /// Where in the file the faults stand.
    #[serde(skip)]
    pub places: Places,
}

/// The nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Nodes {
    /// So many are started.
    Count(usize),
    /// These are running already, or are hosts.
    Urls(Vec<String>),
}

/// How long each part takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phases {
    /// Load without faults, first.
    pub baseline: Span,
    /// Load with faults.
    pub main: Span,
    /// Load on fresh keys after everything has healed.
    pub after: Span,
    /// How long nodes have to agree after the last write.
    pub converge_within: Span,
}

/// One fault, or a series of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// Its name, as in `splitbrain list`.
    pub name: String,
    /// When it begins, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// How far apart it begins, again and again until the main phase ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// How long it lasts. Absent: until everything is healed.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// `one`, `minority`, `majority`, `all`, `primaries`, or names of nodes (`n1`) or, for a fault
    /// of links, of links (`n1->n2`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<TargetsPlan>,
    /// What else it is told, as in `splitbrain list faults`, each with its unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// Whom a fault is to hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetsPlan {
    /// A word for a choice that is made in the run.
    Word(String),
    /// Names of nodes or links.
    Names(Vec<String>),
}

/// The stream of the seed from which faults draw.
const FAULT_STREAM: u64 = 100;

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            target: databases::usual_target(),
            environment: None,
            given: Given::default(),
            nodes: None,
            workload: WorkloadPlan::default(),
            phases: Phases::for_time_limit(Span::from_ms(30_000)),
            faults: None,
            ssh: None,
            own_hosts: false,
            disk: false,
            op_timeout: Span::from_ms(10_000),
            deadline: Span::from_ms(1_000),
            expect: "linearizable".to_owned(),
            seed: None,
            places: Places::default(),
        }
    }
}

impl Default for Phases {
    fn default() -> Phases {
        Plan::default().phases
    }
}

impl Phases {
    /// Shares a time limit out: three seconds before the faults, three after, the rest between.
    /// Below 15 s, from where on a CAP verdict is possible, all three shrink alike.
    pub fn for_time_limit(limit: Span) -> Phases {
        let edge = Span::from_ms((limit.ms() / 5).min(3_000));
        Phases {
            baseline: edge,
            main: Span::from_ms(limit.ms() - 2 * edge.ms()),
            after: edge,
            converge_within: Span::from_ms(10_000),
        }
    }
}

impl Plan {
    /// Reads a plan: TOML, or the `plan.json` of a run.
    pub fn read(path: &Path) -> anyhow::Result<Plan> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the plan {} cannot be read", path.display()))?;
        // No TOML begins so.
        let parsed = if text.trim_start().starts_with('{') {
            serde_json::from_str(&text).map_err(anyhow::Error::from)
        } else {
            Plan::from_toml(&text)
        };
        parsed.with_context(|| format!("the plan {} is not understood", path.display()))
    }

    /// Understands a plan that is written as TOML.
    pub fn from_toml(text: &str) -> anyhow::Result<Plan> {
        let plan = toml::from_str(text)?;
        Ok(Plan { places: Places::of(text), ..plan })
    }

    /// How much is done at once.
    pub fn limits(&self) -> Limits {
        Limits {
            per_node: self.workload.concurrency,
            deadline_ns: self.deadline.ns(),
            op_timeout_ns: self.op_timeout.ns(),
            moving: self.workload.moving,
        }
    }

    /// The faults as a timeline, for a cluster of these nodes.
    pub fn timeline(&self, nodes: &[String], seed: u64) -> anyhow::Result<Timeline> {
        let mut timeline = match &self.faults {
            None => schedule::default_timeline(self.phases.main.ms(), seed),
            Some(faults) => self.planned(faults, nodes)?,
        };
        // What a fault draws by lot depends on the run's seed and the fault's number alone, so
        // that a plan that names each fault repeats what the same plan without names drew.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(FAULT_STREAM);
        timeline.iter_mut().for_each(|step| step.seed = rng.random());
        Ok(timeline)
    }

    fn planned(&self, faults: &[FaultPlan], nodes: &[String]) -> anyhow::Result<Timeline> {
        let mut steps: Vec<(usize, Step)> = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            let planned = fault.steps(self.phases.main, nodes);
            let planned = planned.with_context(|| self.places.fault(index))?;
            steps.extend(planned.into_iter().map(|step| (index, step)));
        }
        steps.sort_by_key(|(_, step)| step.at_ms);
        (1..).zip(&mut steps).for_each(|(id, (_, step))| step.id = id);
        let (indices, timeline): (Vec<usize>, Timeline) = steps.into_iter().unzip();
        if let Some((one, other)) = schedule::contradiction(&timeline, nodes) {
            let step = |at: usize| {
                let Step { choice, at_ms, .. } = &timeline[at];
                format!(
                    "{choice} at {} ({})",
                    Span::from_ms(*at_ms),
                    self.places.fault(indices[at])
                )
            };
            bail!("{} and {} hit the same at the same time", step(one), step(other));
        }
        Ok(timeline)
    }

    /// Faults as a person lists them, `halves,kill:majority`, spread over the main phase.
    pub fn faults_in_turn(&self, list: &str, seed: u64) -> anyhow::Result<Vec<FaultPlan>> {
        if list.trim() == "none" {
            return Ok(Vec::new());
        }
        let choices =
            list.split(',').map(|one| one.trim().parse()).collect::<Result<Vec<Choice>, _>>()?;
        let timeline = schedule::cycled_timeline(self.phases.main.ms(), &choices, seed);
        Ok(timeline.iter().map(FaultPlan::from).collect())
    }
}

impl FaultPlan {
    /// The fault that it names, whom it is to hit and what it is told.
    fn choice(&self) -> anyhow::Result<Choice> {
        let choice = match &self.targets {
            // The name may carry all of it, as on the command line.
            None => self.name.parse()?,
            Some(targets) => {
                let text = match targets {
                    TargetsPlan::Word(word) => word.clone(),
                    TargetsPlan::Names(names) => names.join("+"),
                };
                if text.is_empty() {
                    bail!("the targets of the fault {} are empty", self.name);
                }
                Choice::named(&self.name)?.hitting(Targets::parse(&text))?
            }
        };
        Ok(self.args.iter().try_fold(choice, |choice, (name, value)| choice.told(name, value))?)
    }

    /// When it begins, and ends, in a main phase of this length.
    fn steps(&self, main: Span, nodes: &[String]) -> anyhow::Result<Vec<Step>> {
        let choice = self.choice()?;
        choice.check(nodes)?;
        let name = &self.name;
        let times: Vec<u64> = match (self.at, self.every) {
            (Some(at), None) => vec![at.ms()],
            (None, Some(every)) if every.ms() > 0 => {
                (1..).map(|turn| turn * every.ms()).take_while(|at| *at < main.ms()).collect()
            }
            _ => bail!("the fault {name} needs either `at` or `every`, with a unit"),
        };
        if let Some(late) = times.iter().find(|at| **at >= main.ms()) {
            let late = Span::from_ms(*late);
            bail!("the fault {name} begins at {late}, but the main phase lasts only {main}");
        }
        let step = |at_ms| Step {
            id: 0,
            at_ms,
            for_ms: self.lasts.map(Span::ms),
            choice: choice.clone(),
            beat: 0,
            seed: 0,
        };
        Ok(times.into_iter().map(step).collect())
    }
}

impl From<&Step> for FaultPlan {
    fn from(step: &Step) -> FaultPlan {
        FaultPlan {
            name: step.choice.fault.name.to_owned(),
            at: Some(Span::from_ms(step.at_ms)),
            every: None,
            lasts: step.for_ms.map(Span::from_ms),
            targets: match &step.choice.targets {
                Targets::Usual => None,
                Targets::Named(names) => Some(TargetsPlan::Names(names.clone())),
                other => Some(TargetsPlan::Word(other.to_string())),
            },
            args: step
                .choice
                .args
                .given()
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.clone()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
