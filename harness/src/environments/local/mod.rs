//! Nodes as network namespaces of this machine, with root or without.
//!
//! Nothing of a run is pinned in the kernel: namespaces, interfaces and rules live exactly as long
//! as the processes in them, and the keeper sees to it that these do not outlive the harness.
//! The machine's own network is never touched.

mod agent;
mod capabilities;
mod cgroups;
mod clocks;
mod disks;
mod hosts;
mod limits;
mod shaping;
mod shaping_node;
mod shaping_probes;
mod topology;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use splitbrain_nemesis::iptables;
use splitbrain_nemesis::journal::ProcessId;
use splitbrain_nemesis::node::{Members, Processes, Signal};

use super::stand::{self, PROBE_PORT, Probes, Program, probe_socket};
use super::tool::Tool;
use super::{Daemon, EnvError, Leftovers, NodeSpec, Sandbox};
use agent::{Agent, Answer};
use cgroups::Cgroups;
use topology::{HUB, MOST_NODES, hub_batch, node_batch, node_specs};

/// How long killed programs may take to be gone.
const DEATH_LIMIT: Duration = Duration::from_secs(5);

/// A cluster of up to 100 nodes on this machine.
pub struct LocalCluster {
    nodes: Vec<Node>,
    specs: Vec<NodeSpec>,
    names: Vec<String>,
    /// Where packets come from: each node, and after them the hub, where all clients are.
    senders: Vec<IpAddr>,
    probes: Probes,
    firewall: Firewall,
    shapers: shaping::MaybeShapers,
    /// Once the nodes are to be limited: their groups, or why there are none.
    cgroups: OnceLock<Result<Cgroups, String>>,
    disks: disks::MaybeDisks,
    clocks: clocks::MaybeClocks,
    /// The administration of the database that runs on the nodes, if it has one.
    members: OnceLock<Box<dyn Members>>,
    sandbox: Sandbox,
}

struct Node {
    agent: Agent,
    program: Mutex<Program>,
}

impl Node {
    fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Firewall {
    restore: Tool,
    save: Tool,
}

impl LocalCluster {
    /// Wires `nodes` nodes inside the sandbox; programs are not started yet.
    ///
    /// # Errors
    /// A tool is missing or a step fails; whatever was made by then is undone.
    pub fn provision(sandbox: Sandbox, nodes: usize) -> Result<LocalCluster, EnvError> {
        if !(1..=MOST_NODES).contains(&nodes) {
            return Err(EnvError::NodeCount { asked: nodes, most: MOST_NODES });
        }
        let ip = Tool::find("ip")?;
        let firewall = Firewall {
            restore: Tool::find("iptables-restore")?,
            save: Tool::find("iptables-save")?,
        };
        let specs = node_specs(nodes);
        let agents = start_agents(&sandbox, &specs).map_err(EnvError::failed("namespaces"))?;
        topology::without_ipv6();
        let wired: Vec<_> =
            specs.iter().map(|s| s.address).zip(agents.iter().map(Agent::namespace)).collect();
        ip.run(&["-batch", "-"], &[], &hub_batch(&wired))
            .map_err(EnvError::failed("wiring the hub"))?;
        let setups: Vec<_> = agents
            .iter()
            .zip(&specs)
            .map(|(agent, spec)| {
                let (ip, restore) = (ip.clone(), firewall.restore.clone());
                let (batch, lock) =
                    (node_batch(spec.address, &specs), lock_file(&sandbox, &spec.name));
                agent.ask(move || {
                    ip.run(&["-batch", "-"], &[], &batch)?;
                    restore_rules(&restore, lock.as_ref(), &iptables::hook_text())?;
                    probe_socket(PROBE_PORT)
                })
            })
            .collect();
        let failed = || EnvError::failed("setting up the nodes' network");
        let mut sockets = wait_all(setups).map_err(failed())?;
        sockets.push(probe_socket(PROBE_PORT).map_err(failed())?);
        let senders: Vec<_> = specs.iter().map(|spec| spec.address).chain([HUB]).collect();
        Ok(LocalCluster {
            probes: Probes::new(
                sockets.into_iter().enumerate().collect(),
                senders.clone(),
                PROBE_PORT,
            ),
            senders,
            names: specs.iter().map(|spec| spec.name.clone()).collect(),
            nodes: agents
                .into_iter()
                .map(|agent| Node { agent, program: Mutex::default() })
                .collect(),
            specs,
            firewall,
            shapers: shaping::MaybeShapers::new(),
            cgroups: OnceLock::new(),
            disks: disks::MaybeDisks::new(),
            clocks: clocks::MaybeClocks::new(),
            members: OnceLock::new(),
            sandbox,
        })
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.specs
    }

    /// A folder of the run's own, which is removed with all its content at the end: a place for
    /// the nodes' data.
    pub fn directory(&self) -> &Path {
        self.sandbox.directory()
    }

    /// Has another folder removed at the end; to be called before it is made.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn remove_at_end(&self, directory: &Path) -> Result<(), EnvError> {
        self.sandbox.remove_at_end(directory).map_err(EnvError::failed("writing the journal"))
    }

    /// Has the nodes' programs start in control groups, so that they can be limited. To be called
    /// before they are started. Where there are no groups to be had, they start without, and
    /// [`Cluster::lacks`](splitbrain_nemesis::Cluster::lacks) says why.
    pub fn prepare_limits(&self) {
        self.cgroups.get_or_init(|| {
            Cgroups::make(&self.sandbox, &self.names).map_err(|error| error.to_string())
        });
    }

    /// Says who administers the members of the database's cluster; only the first is heard.
    pub fn administer(&self, members: Box<dyn Members>) {
        let _ = self.members.set(members);
    }

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

    /// Starts a node's program, for the first time or again on what it left. Returns once it was
    /// executed; whether it is ready to serve is for its clients to find out.
    ///
    /// # Errors
    /// It runs already, none is installed, or it cannot be executed.
    pub fn start(&self, node: usize) -> Result<(), EnvError> {
        let name = &self.names[node];
        let failed = |why: &str| EnvError::Failed {
            what: format!("starting {name}"),
            source: io::Error::other(why.to_owned()),
        };
        let clock = self.clock_environment(node);
        let mut program = self.nodes[node].program();
        if program.is_running() {
            return Err(failed("it runs already"));
        }
        if !self.sandbox.keeper_is_alive() {
            return Err(failed("the keeper is gone, and with it all nodes"));
        }
        let daemon = program.daemon.as_ref().ok_or_else(|| failed("no program is installed"))?;
        let mut command = stand::command(name, daemon)?;
        command.envs(clock);
        if let Some(Ok(groups)) = self.cgroups.get() {
            let entering = EnvError::failed(format!("the cgroups of {name}"));
            let door = groups.door(node).map_err(entering)?;
            // SAFETY: `enter` makes system calls only and allocates nothing.
            unsafe { command.pre_exec(move || door.enter()) };
        }
        let child = self.nodes[node]
            .agent
            .ask(move || command.spawn())
            .wait()
            .map_err(EnvError::failed(format!("starting {name}")))?;
        let process = ProcessId::of(child.id().cast_signed());
        program.started(child);
        match process {
            Some(process) => self
                .sandbox
                .record_process(process, name)
                .map_err(EnvError::failed("writing the journal")),
            None => Ok(()), // it has ended already, which `exited` tells
        }
    }

    /// The nodes whose program ended by itself since it was last started, and how, with the last
    /// line of its log.
    pub fn exited(&self) -> Vec<(usize, String)> {
        let ended =
            |(node, state): (usize, &Node)| Some((node, state.program().ended_by_itself()?));
        self.nodes.iter().enumerate().filter_map(ended).collect()
    }

    /// Whether the process that guards the run still stands by; if not, all nodes are dead and
    /// the run is a failure of the harness.
    pub fn keeper_is_alive(&self) -> bool {
        self.sandbox.keeper_is_alive()
    }

    /// Kills all nodes, removes all that the journal lists and looks whether anything is left.
    /// May be called again; dropping the cluster does the same.
    pub fn tear_down(&self) -> Leftovers {
        let mut left = Vec::new();
        let until = Instant::now() + DEATH_LIMIT;
        for (node, state) in self.nodes.iter().enumerate() {
            if let Err(what) = self.kill_until_gone(node, until) {
                left.push(format!("{}: {what}", self.names[node]));
            } else {
                state.program().reap();
            }
        }
        let disks = self.disks.get().and_then(|disks| disks.as_ref().ok());
        disks.into_iter().flatten().for_each(disks::NodeDisk::end);
        left.extend(self.sandbox.finish());
        Leftovers(left)
    }

    fn kill_until_gone(&self, node: usize, until: Instant) -> Result<(), String> {
        loop {
            self.signal(node, Signal::Kill).map_err(|error| error.to_string())?;
            let living = self.states(node).map_err(|error| error.to_string())?;
            if living.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("processes do not die: {living:?}"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        let _ = self.tear_down();
    }
}

fn start_agents(sandbox: &Sandbox, specs: &[NodeSpec]) -> io::Result<Vec<Agent>> {
    let pid_namespace: Arc<File> = Arc::new(sandbox.pid_namespace()?);
    specs.iter().map(|spec| Agent::start(&spec.name, &pid_namespace)).collect()
}

/// Each node's own lock, so that nodes do not wait for each other, nor for the machine's firewall.
fn lock_file(sandbox: &Sandbox, node: &str) -> std::path::PathBuf {
    sandbox.directory().join(format!("{node}.xtables.lock"))
}

fn restore_rules(restore: &Tool, lock: &OsStr, rules: &str) -> io::Result<()> {
    restore.run(&["--noflush", "-w"], &[("XTABLES_LOCKFILE", lock)], rules).map(drop)
}

fn wait_all<T>(answers: Vec<Answer<T>>) -> io::Result<Vec<T>> {
    answers.into_iter().map(Answer::wait).collect()
}
