//! What every environment offers that starts its nodes by itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use splitbrain_nemesis::{Capability, Cluster, Members};

use super::{Daemon, EnvError, NodeSpec};

/// A node, as another node (or itself) is told of it when that is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, such as `n1`.
    pub name: String,
    /// Where its own program is to listen, for each of its ports.
    pub listens: Vec<SocketAddr>,
    /// Where the one who is told reaches each of its ports.
    pub reached: Vec<SocketAddr>,
}

impl Member {
    /// Nodes that have an address of their own each, where they use the usual ports.
    pub(super) fn at_usual_ports(nodes: &[NodeSpec], usual_ports: &[u16]) -> Vec<Member> {
        let members = nodes.iter().map(|node| {
            let ports = usual_ports.iter().map(|port| (node.address, *port).into());
            let listens: Vec<SocketAddr> = ports.collect();
            Member { name: node.name.clone(), reached: listens.clone(), listens }
        });
        members.collect()
    }
}

/// What could not be undone at the end of a run; empty if nothing is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers(pub Vec<String>);

/// Nodes that the harness starts by itself.
pub trait Hosts: Cluster {
    /// All nodes in order, as `viewer` is to be told of them. `usual_ports` are those of the
    /// system under test, for where each node has an address of its own.
    fn told_to(&self, viewer: usize, usual_ports: &[u16]) -> Vec<Member>;
    /// Where clients reach the first of a node's ports.
    fn clients_reach(&self, node: usize, usual_ports: &[u16]) -> SocketAddr;
    /// A node's folder as its program knows it, if it is `here` in the folder of the run.
    fn folder_there(&self, _node: usize, here: &Path) -> PathBuf {
        here.to_owned()
    }
    /// The program under test as a node knows it, if it is `here` on this machine.
    fn program_there(&self, _node: usize, here: &Path) -> PathBuf {
        here.to_owned()
    }
    /// Has a folder removed at the end; to be called before it is made.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn remove_at_end(&self, directory: &Path) -> Result<(), EnvError>;
    /// Says what each node runs, one for each node in order; nothing is started.
    ///
    /// # Errors
    /// A node is not reached.
    ///
    /// # Panics
    /// The number of daemons is not that of the nodes.
    fn install(&self, daemons: Vec<Daemon>) -> Result<(), EnvError>;
    /// Has another program run at a node from when it is started next.
    ///
    /// # Errors
    /// The node is not reached.
    fn replace(&self, node: usize, daemon: Daemon) -> Result<(), EnvError>;
    /// Makes ready what faults of these kinds need, after the programs were installed and before
    /// they are started. What cannot be had is then told by [`Cluster::lacks`]. `data` are the
    /// folders of the nodes' data, in order.
    fn attach(&self, needed: &[Capability], data: &[PathBuf]);
    /// Says who administers the members of the database's cluster; only the first is heard.
    fn administer(&self, members: Box<dyn Members>);
    /// Starts a node's program, for the first time or again on what it left. Returns once it was
    /// executed; whether it is ready to serve is for its clients to find out.
    ///
    /// # Errors
    /// It runs already, none is installed, or it cannot be executed.
    fn launch(&self, node: usize) -> Result<(), EnvError>;
    /// The nodes whose program ended by itself since it was last started, and how, with the last
    /// line of its log.
    fn exited(&self) -> Vec<(usize, String)>;
    /// Whether the process that guards the run still stands by; if not, the run is a failure of
    /// the harness.
    fn is_guarded(&self) -> bool;
    /// Brings the nodes' logs to their folders in the folder of the run, unless they are written
    /// there. What could not be brought, for a person.
    fn collect(&self, _folder: &Path) -> Vec<String> {
        Vec::new()
    }
    /// What undoes what [`Hosts::tear_down`] could not, in words for a person; empty if that says
    /// so itself.
    fn remedy(&self) -> &'static str {
        "; try `splitbrain heal`"
    }
    /// Kills all nodes, removes all that the journal lists and looks whether anything is left. May
    /// be called again; dropping does the same.
    fn tear_down(&self) -> Leftovers;
}
