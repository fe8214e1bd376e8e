//! What a fault needs of the nodes that it breaks: the optional capabilities of a cluster.
//!
//! The traits are observations and single acts, never judgements: whether a fault is in force is
//! decided by [`Nemesis`](crate::Nemesis) from what these report, so that an environment cannot
//! claim more than it shows. A node is its index in [`Cluster::nodes`].

mod limits;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Clocks;
use crate::disk::Disks;
use crate::shaping::Shaping;

pub use limits::{Held, Limit, Limits, Resource};

/// The way from one node to another; the way back is another link. All clients together stand at
/// the index after the last node, and only ever send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The node that sends.
    pub from: usize,
    /// The node that would receive.
    pub to: usize,
}

impl Link {
    /// The ways from the clients to each of `nodes`.
    pub fn from_clients(nodes: usize) -> impl Iterator<Item = Link> {
        (0..nodes).map(move |to| Link { from: nodes, to })
    }

    /// Every link between different nodes among `nodes`, ordered by sender.
    pub fn all(nodes: usize) -> impl Iterator<Item = Link> {
        (0..nodes).flat_map(move |from| {
            (0..nodes).filter(move |to| *to != from).map(move |to| Link { from, to })
        })
    }
}

/// An optional ability of an environment, without which some faults cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Packets between nodes can be dropped.
    Links,
    /// The nodes' programs can be killed, stopped and started.
    Processes,
    /// Links between nodes can be slow and narrow, and reset connections.
    Shaping,
    /// Links between nodes can lose, double, reorder and damage packets.
    Packets,
    /// The nodes' programs can be given less time and memory than they would take.
    Limits,
    /// Nodes can leave the database's cluster and join it again.
    Members,
    /// The nodes' programs can be told another time of day.
    Clocks,
    /// The nodes' data lies on disks that can fail.
    Disks,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Capability::Links => "links",
            Capability::Processes => "processes",
            Capability::Shaping => "shaping",
            Capability::Packets => "packets",
            Capability::Limits => "limits",
            Capability::Members => "members",
            Capability::Clocks => "clocks",
            Capability::Disks => "disks",
        })
    }
}

/// The nodes under test, as far as faults are concerned.
pub trait Cluster: Send + Sync {
    /// Names of the nodes (`n1`, ...); everywhere else a node is its index in this list.
    fn nodes(&self) -> &[String];
    /// Control of the network between nodes, if the environment has it.
    fn links(&self) -> Option<&dyn Links>;
    /// Control of the nodes' programs, if the environment has it.
    fn processes(&self) -> Option<&dyn Processes>;
    /// Control of what the nodes' programs may use, if the environment has it.
    fn limits(&self) -> Option<&dyn Limits> {
        None
    }
    /// Control of who belongs to the database's cluster, if its driver has it.
    fn members(&self) -> Option<&dyn Members> {
        None
    }

    /// Control of the quality of links, if the environment has it.
    fn shaping(&self) -> Option<&dyn Shaping> {
        None
    }

    /// Control of what the nodes' programs take the time to be, if the environment has it.
    fn clocks(&self) -> Option<&dyn Clocks> {
        None
    }

    /// Control of the disks that the nodes' data lies on, if the environment has it.
    fn disks(&self) -> Option<&dyn Disks> {
        None
    }

    /// Whether faults that need `capability` can be had here.
    fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Links => self.links().is_some(),
            Capability::Processes => self.processes().is_some(),
            Capability::Shaping => self.shaping().is_some(),
            Capability::Packets => self.shaping().is_some_and(Shaping::carries_packets),
            Capability::Limits => self.limits().is_some(),
            Capability::Members => self.members().is_some(),
            Capability::Clocks => self.clocks().is_some(),
            Capability::Disks => self.disks().is_some(),
        }
    }

    /// Why faults that need `capability` cannot be had here.
    fn lacks(&self, capability: Capability) -> String {
        format!("no {capability}")
    }
}

/// An act or an observation that the environment could not carry out, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(pub String);

/// A rule found at a node which drops what comes over `link`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropRule {
    /// What it drops.
    pub link: Link,
    /// How many packets it has dropped since it was made.
    pub packets: u64,
}

/// Control of the network between nodes. A link is cut at its receiver, by source address.
pub trait Links: Send + Sync {
    /// Replaces, at each node named, all rules by rules that drop what comes from the given
    /// senders, all nodes in parallel. A rule that is in the new set starts to count from 0.
    ///
    /// # Errors
    /// Some node could not be changed; which of the others were is then unknown.
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError>;

    /// The rules that are there now at each of `nodes`, read back from the nodes themselves.
    ///
    /// # Errors
    /// Some node could not be asked.
    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError>;

    /// Sends one datagram over each of `links`, marked with `nonce`. Losing it is no error.
    ///
    /// # Errors
    /// The sending node itself could not be reached.
    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError>;

    /// The links over which a probe marked with `nonce` has arrived since the last call; waits at
    /// most `wait` for the first one.
    ///
    /// # Errors
    /// A receiving node could not be asked.
    fn arrived(&self, nonce: u64, wait: Duration) -> Result<Vec<Link>, NodeError>;
}

/// What is sent to all processes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// `SIGKILL`.
    Kill,
    /// `SIGTERM`.
    End,
    /// `SIGSTOP`.
    Stop,
    /// `SIGCONT`.
    Continue,
}

/// One process of a node, as its operating system sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessState {
    /// Its number, as the environment names it in messages.
    pub pid: i32,
    /// Whether every one of its threads is stopped.
    pub stopped: bool,
}

/// Control of the nodes' programs. The processes of a node are its program and all its children.
pub trait Processes: Send + Sync {
    /// Sends a signal to every process of the node; none to send to is no error.
    ///
    /// # Errors
    /// The node could not be reached.
    fn signal(&self, node: usize, signal: Signal) -> Result<(), NodeError>;

    /// The living processes of the node (a zombie is not living).
    ///
    /// # Errors
    /// The node could not be asked.
    fn states(&self, node: usize) -> Result<Vec<ProcessState>, NodeError>;

    /// Starts the node's program on the data that it left.
    ///
    /// # Errors
    /// The program runs already or could not be started.
    fn start(&self, node: usize) -> Result<(), NodeError>;
}

/// Who belongs to the database's cluster, through the database's own administration.
pub trait Members: Send + Sync {
    /// Has a node leave, by asking the others.
    ///
    /// # Errors
    /// No answer, or a refusal; it may leave all the same.
    fn leave(&self, node: usize) -> Result<(), NodeError>;

    /// Has a node join again, by asking the others.
    ///
    /// # Errors
    /// As for leaving.
    fn join(&self, node: usize) -> Result<(), NodeError>;

    /// The members as `asked` itself knows them, in order.
    ///
    /// # Errors
    /// It does not answer.
    fn known_to(&self, asked: usize) -> Result<Vec<usize>, NodeError>;
}
