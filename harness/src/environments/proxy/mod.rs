//! Nodes as ordinary processes on this machine's loopback, where no namespaces can be had.
//!
//! Nodes and clients reach each other through proxies in the harness only: each directed pair has
//! a port of its own, behind which stands the link that a fault cuts. No rights are needed, and
//! nothing of the machine is changed. The price: it is connections that are broken here and not
//! packets, and a node that looks for others beyond what it was told would find them.

mod capabilities;
mod carry;
mod flight;
mod loopback;
mod owners;
mod probes;
mod shaping;
mod sockets;
mod ways;
mod wiring;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use splitbrain_nemesis::journal::{Mark, ProcessId};
use splitbrain_nemesis::{Capability, Members};
use tokio::runtime::{self, Runtime};

use super::stand::{self, Program};
use super::{Daemon, EnvError, Hosts, Leftovers, Member, Sandbox, SandboxError};
pub(crate) use capabilities::lacks;
use owners::Owners;
use probes::Probes;
use wiring::Wiring;

/// The most nodes that a cluster may have: there are ports for each pair.
const MOST_NODES: usize = 50;
/// How many threads carry everything.
const CARRIERS: usize = 2;

/// A cluster of up to 50 nodes on this machine.
pub struct ProxyCluster {
    names: Vec<String>,
    nodes: Vec<Node>,
    wiring: Wiring,
    probes: Probes,
    /// Connections that were begun for the last knocking, and how often that was.
    knocks: Probes,
    knocked: AtomicU64,
    /// The administration of the database that runs on the nodes, if it has one.
    members: OnceLock<Box<dyn Members>>,
    /// Until it is torn down.
    carriers: Mutex<Option<Runtime>>,
    handle: runtime::Handle,
    stand: Sandbox,
}

struct Node {
    mark: Mark,
    program: Mutex<Program>,
}

impl Node {
    fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What nodes of a kind need of their ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// How many a node has.
    pub each: usize,
    /// Whether all nodes must be told the same address of a node.
    pub one_address: bool,
}

/// Where a run of this environment stands: with a keeper and a journal, but in no namespace. To be
/// called while the program has one thread.
///
/// # Errors
/// See [`SandboxError`].
pub fn stand(run: &str) -> Result<Sandbox, SandboxError> {
    Sandbox::outside(run)
}

impl ProxyCluster {
    /// Opens the ports of `nodes` nodes; programs are not started yet. `stand` is from [`stand`].
    ///
    /// # Errors
    /// There are not enough ports or descriptors.
    pub fn provision(stand: Sandbox, nodes: usize, ports: Ports) -> Result<ProxyCluster, EnvError> {
        if !(1..=MOST_NODES).contains(&nodes) {
            return Err(EnvError::NodeCount { asked: nodes, most: MOST_NODES });
        }
        more_descriptors();
        let names: Vec<String> = (1..=nodes).map(|number| format!("n{number}")).collect();
        let carriers = runtime::Builder::new_multi_thread()
            .worker_threads(CARRIERS)
            .thread_name("proxy")
            .enable_all()
            .build()
            .map_err(EnvError::failed("starting the proxies' threads"))?;
        let Ports { each, one_address } = ports;
        let wiring =
            Wiring::new(&carriers, nodes, each, one_address, Owners::new(stand.mark(), &names))
                .map_err(EnvError::failed("opening the proxies' ports"))?;
        let node =
            |name: &String| Node { mark: stand.mark().of_node(name), program: Mutex::default() };
        Ok(ProxyCluster {
            nodes: names.iter().map(node).collect(),
            names,
            wiring,
            probes: Probes::default(),
            knocks: Probes::default(),
            knocked: AtomicU64::new(0),
            members: OnceLock::new(),
            handle: carriers.handle().clone(),
            carriers: Mutex::new(Some(carriers)),
            stand,
        })
    }

    /// A folder of the run's own, which is removed with all its content at the end.
    pub fn directory(&self) -> &Path {
        self.stand.directory()
    }
}

/// Each connection takes two descriptors here, and each pair of nodes some ports. That there are
/// no more to be had is told when they run out.
fn more_descriptors() {
    if let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE)
        && now < most
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

impl ProxyCluster {
    /// Says what each node runs, one for each node in order; nothing is started.
    ///
    /// # Panics
    /// The number of daemons is not that of the nodes.
    pub fn install(&self, daemons: Vec<Daemon>) {
        assert_eq!(daemons.len(), self.nodes.len(), "one daemon for each node");
        for (node, daemon) in self.nodes.iter().zip(daemons) {
            node.program().daemon = Some(daemon);
        }
    }
}

impl Hosts for ProxyCluster {
    fn told_to(&self, viewer: usize, _usual_ports: &[u16]) -> Vec<Member> {
        (0..self.nodes.len())
            .map(|node| Member {
                name: self.names[node].clone(),
                listens: self.wiring.listens(node).map(loopback::at).collect(),
                reached: addresses(self.wiring.reaches(viewer, node)),
            })
            .collect()
    }

    fn clients_reach(&self, node: usize, _usual_ports: &[u16]) -> SocketAddr {
        loopback::at(self.wiring.reaches(self.nodes.len(), node)[0])
    }

    fn remove_at_end(&self, directory: &Path) -> Result<(), EnvError> {
        self.stand.remove_at_end(directory).map_err(EnvError::failed("writing the journal"))
    }

    fn install(&self, daemons: Vec<Daemon>) -> Result<(), EnvError> {
        ProxyCluster::install(self, daemons);
        Ok(())
    }

    fn replace(&self, node: usize, daemon: Daemon) -> Result<(), EnvError> {
        self.nodes[node].program().daemon = Some(daemon);
        Ok(())
    }

    /// Nothing can be had that has to be made ready.
    fn attach(&self, _needed: &[Capability], _data: &[PathBuf]) {}

    fn administer(&self, members: Box<dyn Members>) {
        let _ = self.members.set(members);
    }

    fn launch(&self, node: usize) -> Result<(), EnvError> {
        let name = &self.names[node];
        let failed = |why: &str| EnvError::Failed {
            what: format!("starting {name}"),
            source: io::Error::other(why.to_owned()),
        };
        let mut program = self.nodes[node].program();
        if program.is_running() {
            return Err(failed("it runs already"));
        }
        if !self.stand.keeper_is_alive() {
            return Err(failed("the keeper is gone"));
        }
        let daemon = program.daemon.as_ref().ok_or_else(|| failed("no program is installed"))?;
        let child = stand::command(name, daemon)?
            .env(Mark::VARIABLE, self.nodes[node].mark.value())
            .spawn()
            .map_err(EnvError::failed(format!("starting {name}")))?;
        let process = ProcessId::of(child.id().cast_signed());
        program.started(child);
        let recorded = process.map(|process| self.stand.record_process(process, name));
        recorded.unwrap_or(Ok(())).map_err(EnvError::failed("writing the journal"))
    }

    fn exited(&self) -> Vec<(usize, String)> {
        let ended =
            |(node, state): (usize, &Node)| Some((node, state.program().ended_by_itself()?));
        self.nodes.iter().enumerate().filter_map(ended).collect()
    }

    fn is_guarded(&self) -> bool {
        self.stand.keeper_is_alive()
    }

    fn tear_down(&self) -> Leftovers {
        let mut left = Vec::new();
        if let Err(error) = self.stand.mark().kill() {
            left.push(error.to_string());
        } else {
            self.nodes.iter().for_each(|node| node.program().reap());
        }
        let carriers = self.carriers.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(carriers) = carriers {
            carriers.shutdown_background();
        }
        left.extend(self.stand.finish());
        Leftovers(left)
    }
}

impl Drop for ProxyCluster {
    fn drop(&mut self) {
        let _ = self.tear_down();
    }
}

fn addresses(ports: &[u16]) -> Vec<SocketAddr> {
    ports.iter().copied().map(loopback::at).collect()
}
