//! One run of a suite's matrix.

use anyhow::{Context as _, bail};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use splitbrain_checker::Expectation;
use splitbrain_workloads::objects;

use super::Suite;
use super::file::{Matrix, Seeds};
use crate::databases;
use crate::plan::{Nodes, Phases, Plan, Span};

/// The faults of the default plan.
const DEFAULT_FAULTS: &str = "default";
/// The faults that the suite's own plan lists.
const FAULTS_OF_PLAN: &str = "plan";

/// One run to be made. What it is called stays the same from night to night, also where its seed
/// does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What is tested.
    pub target: String,
    /// What clients do.
    pub workload: String,
    /// The faults, as the matrix lists them.
    pub faults: String,
    /// Which of the cells that differ in their seed only: `seed 7`, or `#1` if it was drawn.
    pub which: String,
    /// Fixes the schedule of operations and faults.
    pub seed: u64,
    /// All that the run needs to know.
    pub plan: Plan,
}

impl Suite {
    /// The cells; seeds that are not given come of `draw`.
    pub fn cells(&self, draw: u64) -> anyhow::Result<Vec<Cell>> {
        let mut rng = ChaCha8Rng::seed_from_u64(draw);
        let mut cells = Vec::new();
        for matrix in &self.matrix {
            let seeds: Vec<(String, u64)> = match &matrix.seeds {
                // Small enough to be typed again.
                Seeds::Drawn(count) => (1..=*count)
                    .map(|turn| (format!("#{turn}"), rng.random_range(0..1_000_000)))
                    .collect(),
                Seeds::Given(seeds) => {
                    seeds.iter().map(|seed| (format!("seed {seed}"), *seed)).collect()
                }
            };
            if seeds.is_empty() {
                bail!("seeds is empty in the matrix of {}", matrix.targets.join(", "));
            }
            for target in &matrix.targets {
                for workload in or(&matrix.workloads, &self.plan.workload.name) {
                    for faults in or(&matrix.faults, DEFAULT_FAULTS) {
                        for (which, seed) in &seeds {
                            let plan = plan(self, matrix, target, &workload, &faults, *seed)
                                .with_context(|| format!("{target} {workload} {faults}"))?;
                            cells.push(Cell {
                                target: target.clone(),
                                workload: workload.clone(),
                                faults: faults.clone(),
                                which: which.clone(),
                                seed: *seed,
                                plan,
                            });
                        }
                    }
                }
            }
        }
        Ok(cells)
    }
}

/// The list, or the one usual thing.
fn or(list: &[String], usual: &str) -> Vec<String> {
    if list.is_empty() { vec![usual.to_owned()] } else { list.to_vec() }
}

fn plan(
    suite: &Suite,
    matrix: &Matrix,
    target: &str,
    workload: &str,
    faults: &str,
    seed: u64,
) -> anyhow::Result<Plan> {
    let mut plan = suite.plan.clone();
    plan.target = target.to_owned();
    plan.workload.name = workload.to_owned();
    plan.expect = matrix.expect.clone();
    plan.seed = Some(seed);
    if let Some(limit) = matrix.time_limit {
        if limit < Span::from_ms(1_000) {
            bail!("a time_limit of {limit} is too short; at least 1s is needed");
        }
        let converge_within = plan.phases.converge_within;
        plan.phases = Phases { converge_within, ..Phases::for_time_limit(limit) };
    }
    plan.faults = match faults {
        FAULTS_OF_PLAN => plan.faults,
        DEFAULT_FAULTS => None,
        list => Some(plan.faults_in_turn(list, seed)?),
    };
    Ok(plan)
}

impl Cell {
    /// What it is called.
    pub fn name(&self) -> String {
        format!("{} {}", self.family(), self.which)
    }

    /// What cells have in common that differ in their seed only.
    pub fn family(&self) -> String {
        format!("{} {} {}", self.target, self.workload, self.faults)
    }

    /// Finds names that do not exist. What this machine lacks shows when the run is made.
    pub fn check(&self) -> anyhow::Result<()> {
        let database =
            databases::open(&self.target, &self.plan.given).map_err(anyhow::Error::msg)?;
        if objects::find(&self.workload).is_none() {
            let names: Vec<&str> = objects::ALL.iter().map(|workload| workload.name).collect();
            bail!("no workload is named {:?}; there are: {}", self.workload, names.join(", "));
        }
        self.plan.expect.parse::<Expectation>()?;
        let count = match &self.plan.nodes {
            Some(Nodes::Count(count)) => *count,
            Some(Nodes::Urls(urls)) => urls.len(),
            None => database.default_nodes(),
        };
        let nodes: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
        self.plan.timeline(&nodes, self.seed).map(|_| ())
    }
}
