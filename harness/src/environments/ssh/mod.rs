//! Nodes as existing hosts that are reached over SSH.
//!
//! The harness runs the system's `ssh`, one long-lived process for each host, so that the user's
//! keys, agents, configuration and jump hosts do what they always do. On the far side this very
//! program works as a *guard*: it holds the node's program, our chain of the firewall and the
//! probes, and it outlives connections. Whatever it makes stands in a journal on the host before
//! it is made. Its *lease* is renewed by every question; if none comes for that long, the harness
//! is gone and the guard undoes everything. If the guard is killed, its keeper does that.
//!
//! Needs of a host: Linux on the same kind of processor, root (directly or by `sudo`), iptables,
//! and UDP port 7009 between the nodes and from the harness. Clients go straight to the nodes.

mod bootstrap;
mod capabilities;
mod clocks;
mod connection;
mod guard;
mod host;
mod line;
mod logs;
mod protocol;
mod ward;

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use splitbrain_nemesis::{Link, Links, Members};

pub(crate) use capabilities::lacks;
pub use guard::{relay, serve};
pub use host::{Access, Host};

use super::stand::Probes;
use super::tool::Tool;
use super::{Daemon, EnvError, NodeSpec};
use bootstrap::{AGENT, Upload};
use connection::{Connection, Guard};
use protocol::{Ask, Ended, Post};

/// Name of the program under test in the run's folder on a host.
pub(crate) const PROGRAM: &str = "program";
/// Where guards receive probes.
const PROBE_PORT: u16 = 7_009;
/// How long the ways between the nodes may take to carry a first probe.
const WAYS_WITHIN: Duration = Duration::from_secs(3);

/// A cluster of hosts that were there before.
pub struct SshCluster {
    specs: Vec<NodeSpec>,
    names: Vec<String>,
    hosts: Vec<Host>,
    access: Access,
    guards: Vec<Guard>,
    /// Of the clients.
    probes: Probes,
    logs: Mutex<Vec<PathBuf>>,
    members: OnceLock<Box<dyn Members>>,
    /// Once clocks are needed: whether they can be had, or why not.
    clocks: OnceLock<Result<(), String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something for each of `what` at the same time.
fn in_parallel<A: Sync, T: Send>(what: &[A], act: impl Fn(usize, &A) -> T + Sync) -> Vec<T> {
    let act = &act;
    thread::scope(|scope| {
        let all = what.iter().enumerate();
        let threads: Vec<_> = all.map(|(i, one)| scope.spawn(move || act(i, one))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, T>| thread.join().expect("no panic");
        threads.into_iter().map(join).collect()
    })
}

impl SshCluster {
    /// Sets a guard on each host, whose node is `n1`, `n2` and so on in order, and copies `files`
    /// (names, and where they are here) to the run's folder there. `run` is a name that no other
    /// run has; `agent` is the `splitbrain` program.
    ///
    /// # Errors
    /// A host cannot be reached or cannot be a node: which one, and why. No host is changed
    /// before all have said that they can. Nothing is left on any of them.
    pub fn provision(
        access: &Access,
        hosts: &[Host],
        run: &str,
        agent: &Path,
        files: &[(&str, &Path)],
    ) -> Result<SshCluster, EnvError> {
        Tool::find("ssh")?;
        let names: Vec<String> = (1..=hosts.len()).map(|number| format!("n{number}")).collect();
        let at = |node: usize| {
            EnvError::failed(format!("{} ({})", names[node], hosts[node].destination))
        };
        let uploads =
            [(AGENT, agent)].into_iter().chain(files.iter().copied()).map(|(name, path)| {
                Upload::open(name, path).map_err(EnvError::failed(path.display().to_string()))
            });
        let uploads = uploads.collect::<Result<Vec<_>, _>>()?;
        let run_of = |node: usize| format!("{run}.{}", names[node]);
        let able = in_parallel(hosts, |node, host| {
            bootstrap::knock(access, host, &run_of(node), &uploads).map_err(at(node))
        });
        let able = able.into_iter().map(|able| able.map(|able| Mutex::new(Some(able))));
        let able = able.collect::<Result<Vec<_>, _>>()?;
        let settled = in_parallel(&able, |node, able| {
            let able = lock(able).take().expect("taken once");
            let (line, folder) = able.settle(&uploads).map_err(at(node))?;
            let connection = Connection::new(access.clone(), hosts[node].clone(), folder, line);
            Ok(Guard::new(connection, access.lease))
        });
        let (guards, failed): (Vec<_>, Vec<_>) = settled.into_iter().partition(Result::is_ok);
        let guards: Vec<Guard> = guards.into_iter().flatten().collect();
        if let Some(Err(error)) = failed.into_iter().next() {
            in_parallel(&guards, |_, guard| drop(guard.heal()));
            return Err(error);
        }
        let addresses: Vec<IpAddr> = hosts.iter().map(|host| host.address).collect();
        let socket =
            UdpSocket::bind("0.0.0.0:0").map_err(EnvError::failed("a socket for probes"))?;
        let nobody = IpAddr::from([0, 0, 0, 0]); // nodes send no probes to clients
        let everybody = addresses.iter().copied().chain([nobody]).collect();
        let specs = names.iter().zip(&addresses);
        Ok(SshCluster {
            specs: specs
                .map(|(name, address)| NodeSpec { name: name.clone(), address: *address })
                .collect(),
            probes: Probes::new(vec![(names.len(), socket)], everybody, PROBE_PORT),
            hosts: hosts.to_vec(),
            access: access.clone(),
            logs: Mutex::default(),
            members: OnceLock::new(),
            clocks: OnceLock::new(),
            names,
            guards,
        })
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.specs
    }

    /// The run's folder on a node's host, where the files are that were copied there; it is
    /// removed at the end.
    pub fn folder(&self, node: usize) -> PathBuf {
        self.guards[node].folder()
    }

    /// Says what each node runs, one for each node in order, and looks whether every way that can
    /// be cut carries probes now. Nothing is started.
    ///
    /// # Errors
    /// A host cannot be reached, or a way carries nothing: then no fault could be verified.
    ///
    /// # Panics
    /// The number of daemons is not that of the nodes.
    pub fn install(&self, daemons: Vec<Daemon>) -> Result<(), EnvError> {
        assert_eq!(daemons.len(), self.names.len(), "one daemon for each node");
        let installed = in_parallel(&daemons, |this, daemon| {
            let own = own_address_towards(self.specs[this].address)?;
            let addresses = self.specs.iter().map(|spec| spec.address).chain([own]).collect();
            let name = self.names[this].clone();
            let post = Post { this, name, addresses, daemon: daemon.clone() };
            self.ask::<()>(this, Ask::Install(Box::new(post)))
        });
        let installed = installed.into_iter().collect::<io::Result<Vec<()>>>();
        installed.map_err(EnvError::failed("installing the nodes"))?;
        *lock(&self.logs) = daemons.into_iter().map(|daemon| daemon.log).collect();
        self.try_ways().map_err(EnvError::failed("trying the network"))
    }

    fn try_ways(&self) -> io::Result<()> {
        let nodes = self.names.len();
        let mut silent: Vec<Link> = Link::all(nodes).chain(Link::from_clients(nodes)).collect();
        let until = Instant::now() + WAYS_WITHIN;
        while !silent.is_empty() {
            self.probe(0, &silent).map_err(io::Error::other)?;
            let come = self.arrived(0, Duration::from_millis(50)).map_err(io::Error::other)?;
            silent.retain(|link| !come.contains(link));
            if let Some(Link { from, to }) = silent.first()
                && Instant::now() > until
            {
                let from = self.names.get(*from).map_or("this machine", String::as_str);
                return Err(io::Error::other(format!(
                    "datagrams from {from} do not get to UDP port {PROBE_PORT} of {}, or come from \
                     another address (a firewall, or address translation): no fault could be \
                     verified",
                    self.names[*to]
                )));
            }
        }
        Ok(())
    }

    /// Starts a node's program, for the first time or again on what it left.
    ///
    /// # Errors
    /// It runs already, none is installed, it cannot be executed, or its host is not reached.
    pub fn start(&self, node: usize) -> Result<(), EnvError> {
        let started = self.ask(node, Ask::Start);
        started.map_err(EnvError::failed(format!("starting {}", self.names[node])))
    }

    /// The nodes whose program ended by itself since it was last started, and how. Hosts that are
    /// not reached are not among them.
    pub fn exited(&self) -> Vec<(usize, String)> {
        let all = self.all_ended().into_iter().enumerate();
        all.filter_map(|(node, ended)| Some((node, ended.ok()?.how?))).collect()
    }

    /// Whether every host has its guard and somebody to clean up behind that.
    pub fn is_guarded(&self) -> bool {
        self.all_ended().iter().all(|ended| ended.as_ref().is_ok_and(|ended| ended.guarded))
    }

    fn all_ended(&self) -> Vec<io::Result<Ended>> {
        in_parallel(&self.names, |node, _| self.ask(node, Ask::Ended))
    }

    /// Undoes everything on every host and looks whether anything is left. May be repeated;
    /// dropping the cluster does the same. What is left, and how to remove it.
    pub fn tear_down(&self) -> Vec<String> {
        let left = in_parallel(&self.hosts, |node, host| {
            let name = format!("{} ({})", self.names[node], host.destination);
            match self.guards[node].heal() {
                Ok(left) if left.is_empty() => None,
                Ok(left) => {
                    let command = self.heal_command(node);
                    Some(format!("{name}: {}; to remove it: {command}", left.join(", ")))
                }
                Err(error) => Some(format!(
                    "{name} is not reached ({error}); it heals itself {} s after it was last asked \
                     anything, or by: {}",
                    self.access.lease.as_secs_f64(),
                    self.heal_command(node)
                )),
            }
        });
        left.into_iter().flatten().collect()
    }

    /// What a person types to have a host healed.
    fn heal_command(&self, node: usize) -> String {
        let Host { destination, port, .. } = &self.hosts[node];
        let port = port.map_or(String::new(), |port| format!("-p {port} "));
        let sudo = if self.access.sudo { "sudo " } else { "" };
        format!("ssh {port}{destination} {sudo}{} heal", self.folder(node).join(AGENT).display())
    }

    fn ask<T: DeserializeOwned>(&self, node: usize, ask: Ask) -> io::Result<T> {
        self.guards[node].ask(ask)
    }
}

impl Drop for SshCluster {
    fn drop(&mut self) {
        let _ = self.tear_down();
    }
}

/// The address that this machine sends from when it sends to a node.
fn own_address_towards(node: IpAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect((node, PROBE_PORT))?;
    Ok(socket.local_addr()?.ip())
}
