//! The faults: each decides, from what the cluster looks like at the moment, what to break.
//!
//! A fault is one file here and one line in [`ALL`]. Deciding is pure: the same scene gives the
//! same decision.

mod action;
mod all;
mod args;
mod choice;
mod targets;

mod bandwidth;
mod bit_flip;
mod bridge;
mod client_side;
mod corrupt;
mod cpu;
mod crash_loop;
mod delay;
mod drift;
mod duplicate;
mod eio;
mod flapping;
mod full;
mod halves;
mod isolate_one;
mod jitter;
mod jump;
mod kill;
mod leave;
mod loss;
mod lost_fsync;
mod majorities_ring;
mod majority;
mod memory;
mod minority_third;
mod one_way;
mod partial;
mod pause;
mod primaries;
mod random_halves;
mod read_only;
mod reorder;
mod reset;
mod rolling_restart;
mod skew;
mod slow;
mod stop;
mod strobe;
mod torn_write;
mod truncate;

use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::clock::Deviation;
use crate::disk::Condition;
use crate::grudge::Grudge;
use crate::node::{Capability, Link};
use crate::shaping::Quality;

pub use action::{Action, Break};
pub use all::ALL;
pub use args::{Arg, ArgError, Args, Kind};
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
    /// What one may say of whom it is to hit.
    pub takes: Takes,
    /// What else it can be told; the first needs no name.
    pub args: &'static [Arg],
    /// For one that comes and goes while it lasts: how.
    pub beat: Option<fn(&Args) -> Beat>,
    /// Decides what to break.
    pub decide: fn(&Scene) -> Result<Decision, Skip>,
}

impl Fault {
    /// One that hits what it chooses itself, takes no arguments and lasts without a break.
    const fn plain(
        name: &'static str,
        about: &'static str,
        needs: Capability,
        decide: fn(&Scene) -> Result<Decision, Skip>,
    ) -> Fault {
        let (takes, args, beat) = (Takes::Nothing, &[], None);
        Fault { name, aliases: &[], about, needs, takes, args, beat, decide }
    }
}

/// What one may say of whom a fault is to hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// Nodes.
    Nodes,
    /// Links, or nodes for all of their links.
    Links,
}

/// The rhythm of a fault that comes and goes while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// How long it is in force.
    pub on: Duration,
    /// How long it is not.
    pub off: Duration,
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
    /// What else it is told.
    pub args: &'a Args,
    /// How many times before it has come, for one that comes and goes.
    pub beat: usize,
    /// The only source of chance; another one for each fault of a run.
    pub seed: u64,
}

impl Scene<'_> {
    /// The random numbers of this decision, always the same ones.
    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// The node of this name.
    ///
    /// # Errors
    /// There is none.
    fn position(&self, name: &str) -> Result<usize, Skip> {
        let found = self.nodes.iter().position(|node| node == name);
        found.ok_or_else(|| Skip(format!("there is no node {name:?}")))
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

/// What a fault decided.
#[derive(Clone, Debug, PartialEq)]
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

    /// Gives a quality to the links that the scene names, or to all.
    fn shape(quality: Quality, scene: &Scene) -> Result<Decision, Skip> {
        let nodes = scene.at_least(2)?;
        let links = scene.targets.links(scene)?.unwrap_or_else(|| Link::all(nodes).collect());
        Ok(Decision { action: Action::Shape { links, quality }, note: None })
    }

    /// Gives wrong clocks to the nodes that the scene names, or usually one.
    fn clock(deviation: Deviation, scene: &Scene) -> Result<Decision, Skip> {
        if deviation.is_none() {
            return Err(Skip("the clock would stay right".to_owned()));
        }
        Decision::nodes(Break::Clock(deviation), scene)
    }

    /// Gives bad disks to the nodes that the scene names, or usually one.
    fn disk(condition: Condition, scene: &Scene) -> Result<Decision, Skip> {
        if condition == Condition::default() {
            return Err(Skip("the disk would do all that is asked of it".to_owned()));
        }
        Decision::nodes(Break::Disk(condition), scene)
    }

    /// Breaks something of the nodes that the scene names, or usually one.
    fn nodes(what: Break, scene: &Scene) -> Result<Decision, Skip> {
        let (nodes, note) = scene.targets.choose(scene)?;
        Ok(Decision { action: Action::nodes(what, nodes), note })
    }
}

/// Why a fault cannot be had on this cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Skip(pub String);

#[cfg(test)]
mod tests;
