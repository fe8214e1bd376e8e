//! The faults: each decides, from what the cluster looks like at the moment, what to break.
//!
//! A fault is one file here and one line in [`ALL`]. Deciding is pure: the same scene gives the
//! same decision.

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
use crate::disk::{Condition, Damage};
use crate::grudge::Grudge;
use crate::node::{Capability, Link};
use crate::shaping::Quality;

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

/// What to break.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Drop all packets over some links.
    Cut(Grudge),
    /// Give links a bad quality; it adds to what others give them.
    Shape {
        /// The links, in order and each once.
        links: Vec<Link>,
        /// What they become like.
        quality: Quality,
    },
    /// Break something of these nodes.
    Nodes {
        /// What.
        what: Break,
        /// The nodes, in order.
        nodes: Vec<usize>,
    },
}

/// What is broken of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Break {
    /// All its processes are killed; undone by starting it on the data that it left.
    Kill,
    /// The same, but they are asked to end and may tidy up.
    Stop,
    /// All its processes are stopped; undone by letting them go on.
    Pause,
    /// All its processes together get less time to compute.
    Cpu {
        /// Percent of one core.
        percent: f64,
    },
    /// All its processes together get less memory, of which they may die; undone by lifting the
    /// limit and starting it again if it has died.
    Memory {
        /// How many bytes.
        bytes: u64,
    },
    /// It leaves the database's cluster; undone by joining it again.
    Leave,
    /// Its programs are told another time; what several faults tell adds up. Undone by telling
    /// the right one and starting it again if it has died of it, and so for disks.
    Clock(Deviation),
    /// Its disk does badly what is asked of it; what several faults do adds up.
    Disk(Condition),
    /// Its processes are killed, and with them goes what its disk was not told to keep; or, with
    /// `keep_percent`, of the last such write to each file all but so much of its beginning.
    /// Undone by starting it on what is left.
    PowerCut {
        /// How much of the last write survives, in percent; nothing for losing all.
        keep_percent: Option<u8>,
    },
    /// What lies on its disk is damaged; undone by mending what the node has not written over.
    Damage {
        /// How.
        damage: Damage,
        /// Fixes where.
        seed: u64,
    },
}

impl Break {
    /// What it needs of the environment.
    pub fn needs(self) -> Capability {
        match self {
            Break::Kill | Break::Stop | Break::Pause => Capability::Processes,
            Break::Cpu { .. } | Break::Memory { .. } => Capability::Limits,
            Break::Leave => Capability::Members,
            Break::Clock(_) => Capability::Clocks,
            Break::Disk(_) | Break::PowerCut { .. } | Break::Damage { .. } => Capability::Disks,
        }
    }

    /// Whether it has no process as long as it is broken so.
    pub(crate) fn takes_down(self) -> bool {
        matches!(self, Break::Kill | Break::Stop | Break::PowerCut { .. })
    }

    /// Whether a program may end because of it, and would again if it were started meanwhile.
    pub(crate) fn can_be_fatal(self) -> bool {
        match self {
            Break::Memory { .. } | Break::Clock(_) | Break::Disk(_) | Break::Damage { .. } => true,
            _ => self.takes_down(),
        }
    }

    /// Whether undoing the one undoes the other as well.
    pub(crate) fn ends_with(self, other: Break) -> bool {
        match self {
            // What is left of these is reckoned anew, or each is undone by itself.
            Break::Clock(_) | Break::Disk(_) | Break::Damage { .. } => false,
            _ if self.takes_down() => other.takes_down(),
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }
}

impl Action {
    /// Breaks something of nodes.
    pub fn nodes(what: Break, nodes: Vec<usize>) -> Action {
        Action::Nodes { what, nodes }
    }

    /// Whether undoing it is to start programs.
    pub(crate) fn takes_down(&self) -> bool {
        matches!(self, Action::Nodes { what, .. } if what.takes_down())
    }

    /// The nodes whose own parts it hits; none for links.
    pub fn targets(&self) -> &[usize] {
        match self {
            Action::Cut(_) | Action::Shape { .. } => &[],
            Action::Nodes { nodes, .. } => nodes,
        }
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
