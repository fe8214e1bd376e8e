//! What a sweep tries, and the plan of each of its runs.

use anyhow::bail;
use serde::Serialize;
use splitbrain_nemesis::faults::Choice;

use super::Args;
use crate::plan::{FaultPlan, Nodes, Phases, Plan, Span, TargetsPlan, WorkloadPlan};

/// Before it counts, a cluster has so long to get into its stride.
const WARM_UP: Span = Span::from_ms(1_000);
/// Clients for each node where operations come at a rate: enough that none waits for a client as
/// long as the system keeps up.
const CLIENTS_A_NODE: usize = 20;
/// Nobody waits longer.
const OP_TIMEOUT: Span = Span::from_ms(2_000);
/// A cluster without faults agrees sooner than one that has to recover.
const CONVERGE_WITHIN: Span = Span::from_ms(3_000);
/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    Clients,
    Rates,
    Nodes,
    Keys,
}

/// One place of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub at: f64,
    /// A closed loop of so many, or a rate.
    pub load: Load,
    pub nodes: Option<usize>,
    pub keys: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub enum Load {
    Clients(usize),
    Rate(f64),
}

impl Args {
    /// What grows, and all its values, the least first.
    pub(super) fn settings(&self) -> anyhow::Result<(Axis, Vec<Setting>)> {
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

    /// The plan of one run; `slow` makes its baseline as long as its main phase, for the fault.
    pub(super) fn plan(&self, setting: &Setting, slow: bool) -> anyhow::Result<Plan> {
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
                keys: setting.keys.or(usual.keys),
                // Keys that change hands seldom leave fewer to be read in the end.
                ops_per_key: Some(1_000),
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
}
