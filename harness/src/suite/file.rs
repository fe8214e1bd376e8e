//! The file of a suite, as people write it. Unknown keys are errors.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::Cell;
use crate::plan::{Plan, Span};

/// A suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name; by default that of the file.
    #[serde(default)]
    pub name: String,
    /// After this long no other run begins.
    pub budget: Option<Span>,
    /// What all runs share, as in a file for `run --plan`; of this, `target`, `seed` and `expect`
    /// are the matrix's to say.
    #[serde(default)]
    pub plan: Plan,
    /// The runs.
    pub matrix: Vec<Matrix>,
    /// Failures that are known.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// Every target with every workload, every list of faults and every seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// What is tested: `store/raft`, `etcd`, ...
    pub targets: Vec<String>,
    /// What clients do; by default what the plan says.
    #[serde(default)]
    pub workloads: Vec<String>,
    /// Lists of faults as after `run --faults`; `default` is the default plan, `plan` the faults of
    /// the plan above.
    #[serde(default)]
    pub faults: Vec<String>,
    /// These seeds, or so many that are drawn anew each time the suite begins.
    #[serde(default)]
    pub seeds: Seeds,
    /// What the verdict answers.
    pub expect: String,
    /// Length of the load; by default the plan's phases.
    pub time_limit: Option<Span>,
}

/// Which seeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Seeds {
    /// So many, drawn.
    Drawn(u64),
    /// These.
    Given(Vec<u64>),
}

impl Default for Seeds {
    fn default() -> Seeds {
        Seeds::Drawn(1)
    }
}

/// A failure that is known: at least one run of those that it speaks of is invalid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Of this target.
    pub target: String,
    /// With this workload; by default with any.
    pub workload: Option<String>,
    /// Under these faults, written as in the matrix; by default under any.
    pub faults: Option<String>,
    /// Why it fails, and that this is known: a ticket, a promise that is not made, ...
    pub reason: String,
}

impl Known {
    /// Whether it speaks of this cell.
    pub fn covers(&self, cell: &Cell) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|it| it == is);
        self.target == cell.target
            && same(&self.workload, &cell.workload)
            && same(&self.faults, &cell.faults)
    }

    /// What it speaks of, in words.
    pub fn of(&self) -> String {
        [Some(&self.target), self.workload.as_ref(), self.faults.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Suite {
    /// Reads a suite and finds what is wrong with it before anything runs.
    pub fn read(path: &Path) -> anyhow::Result<Suite> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the suite {} cannot be read", path.display()))?;
        let mut suite = Suite::from_toml(&text)
            .with_context(|| format!("the suite {} is not understood", path.display()))?;
        if suite.name.is_empty() {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            suite.name = stem.into_owned();
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if suite.name.starts_with('.') || !suite.name.chars().all(plain) {
            bail!("the name {:?} is no name of a folder: letters, digits, - _ .", suite.name);
        }
        Ok(suite)
    }

    /// Understands a suite that is written as TOML.
    pub fn from_toml(text: &str) -> anyhow::Result<Suite> {
        let suite: Suite = toml::from_str(text)?;
        let cells = suite.cells(0)?;
        if cells.is_empty() {
            bail!("no run comes of it: each matrix needs targets");
        }
        for cell in &cells {
            cell.check().with_context(|| format!("the run {:?}", cell.name()))?;
        }
        for (at, cell) in cells.iter().enumerate() {
            if cells[..at].iter().any(|other| other.name() == cell.name()) {
                bail!("the run {:?} is there twice", cell.name());
            }
        }
        for known in &suite.known {
            if known.reason.trim().is_empty() {
                bail!("the known failure of {} needs its reason", known.of());
            }
            if !cells.iter().any(|cell| known.covers(cell)) {
                bail!("no run of the matrix is {}, whose failure is said to be known", known.of());
            }
        }
        Ok(suite)
    }

    /// Which of its failures is known that a cell may show.
    pub fn known_of(&self, cell: &Cell) -> Option<&Known> {
        self.known.iter().find(|known| known.covers(cell))
    }
}
