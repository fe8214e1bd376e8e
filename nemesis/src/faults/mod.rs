//! The faults: each decides, from what the cluster looks like at the moment, what to break.
//!
//! A fault is one file here and one line in [`ALL`]. Deciding is pure: the same scene gives the
//! same decision.

mod all;
mod choice;
mod targets;

mod bridge;
mod halves;
mod isolate_one;
mod kill;
mod majorities_ring;
mod one_way;
mod pause;
mod primaries;
mod random_halves;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::grudge::Grudge;
use crate::node::Capability;

pub use all::ALL;
pub use choice::{Choice, ChoiceError, find};
pub use targets::Targets;

/// A way to break a cluster.
#[derive(Debug)]
pub struct Fault {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What it needs of the environment.
    pub needs: Capability,
    /// Whether one may say which nodes it is to hit.
    pub takes_targets: bool,
    /// Decides what to break.
    pub decide: fn(&Scene) -> Result<Decision, Skip>,
}

/// What is known at the moment of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Names of the nodes; everywhere else a node is its index in this list.
    pub nodes: &'a [String],
    /// The nodes that hold themselves to be leader now; empty if there is none or none is known.
    pub leaders: &'a [usize],
    /// Which nodes are asked to be hit.
    pub targets: &'a Targets,
    /// The only source of chance; another one for each decision of a run.
    pub seed: u64,
}

impl Scene<'_> {
    /// The random numbers of this decision, always the same ones.
    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// Skips if there are fewer nodes than the fault needs.
    ///
    /// # Errors
    /// There are.
    fn at_least(&self, needed: usize) -> Result<usize, Skip> {
        let nodes = self.nodes.len();
        if nodes < needed {
            return Err(Skip(format!("needs at least {needed} nodes, there are {nodes}")));
        }
        Ok(nodes)
    }
}

/// What to break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Drop all packets over some links.
    Cut(Grudge),
    /// Kill all processes of these nodes; undone by starting them on the data that they left.
    Kill(Vec<usize>),
    /// Stop all processes of these nodes; undone by letting them go on.
    Pause(Vec<usize>),
}

impl Action {
    /// The nodes whose processes it hits; none for a cut.
    pub fn targets(&self) -> &[usize] {
        match self {
            Action::Cut(_) => &[],
            Action::Kill(nodes) | Action::Pause(nodes) => nodes,
        }
    }
}

/// What a fault decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to break.
    pub action: Action,
    /// What a person should know of how it was decided, such as that no leader was known.
    pub note: Option<String>,
}

impl Decision {
    fn cut(grudge: Grudge) -> Result<Decision, Skip> {
        Ok(Decision { action: Action::Cut(grudge), note: None })
    }
}

/// Why a fault cannot be had on this cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Skip(pub String);

#[cfg(test)]
mod tests;
