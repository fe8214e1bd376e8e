//! What faults break, in the end.

use crate::clock::Deviation;
use crate::disk::{Condition, Damage};
use crate::grudge::Grudge;
use crate::node::{Capability, Link};
use crate::shaping::Quality;

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
