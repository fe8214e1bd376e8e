//! The nodes of a run: brought up, waited for, and taken down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use splitbrain_nemesis::{Capability, Cluster};
use tokio::runtime::Runtime;

use super::folder::RunFolder;
use super::members::Membership;
use super::prepare::{Engine, Prepared, SitePlan};
use super::signals::Interrupted;
use crate::databases::{Asker, Program};
use crate::environments::proxy::{self, Ports};
use crate::environments::ssh;
use crate::environments::{
    Daemon, ExternalCluster, Hosts, LocalCluster, ProxyCluster, Sandbox, SshCluster,
};

/// How long nodes that are running already may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How far apart two questions are.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// The nodes of a run.
pub struct Site {
    /// Where clients reach each node.
    pub urls: Vec<String>,
    /// What the nemesis can break.
    pub cluster: Arc<dyn Cluster>,
    /// The nodes, if they were started here.
    hosts: Option<Arc<dyn Hosts>>,
    /// Where clients stand that are programs, if not with the nodes.
    stand: Option<Sandbox>,
}

/// Enters the sandbox if the nodes will live here. Must come before any thread.
pub fn enter(prepared: &Prepared, run_id: &str) -> anyhow::Result<Option<Sandbox>> {
    match prepared.site {
        SitePlan::Started(_, Engine::Kernel) => Sandbox::enter(run_id)
            .map(Some)
            .context("the environment local cannot be had (--env proxy needs no rights)"),
        SitePlan::Started(_, Engine::Proxy { .. }) => Ok(Some(proxy::stand(run_id)?)),
        _ if prepared.database.has_companions() => Ok(Some(proxy::stand(run_id)?)),
        SitePlan::Started(_, Engine::Hosts(..)) | SitePlan::External(_) => Ok(None),
    }
}

impl Site {
    /// Makes the network and the nodes' folders; nothing runs yet.
    pub fn provision(
        prepared: &Prepared,
        sandbox: Option<Sandbox>,
        folder: &RunFolder,
        run_id: &str,
    ) -> anyhow::Result<Site> {
        let (nodes, database) = (prepared.nodes.len(), &prepared.database);
        let (program, hosts, stand): (_, Arc<dyn Hosts>, _) = match (&prepared.site, sandbox) {
            (SitePlan::Started(program, Engine::Kernel), Some(sandbox)) => {
                (program, Arc::new(LocalCluster::provision(sandbox, nodes)?), None)
            }
            (SitePlan::Started(program, Engine::Proxy { .. }), Some(sandbox)) => {
                let (each, one_address) = (database.ports().len(), database.one_address());
                let ports = Ports { each, one_address };
                (program, Arc::new(ProxyCluster::provision(sandbox, nodes, ports)?), None)
            }
            (SitePlan::Started(program, Engine::Hosts(named, access)), stand) => {
                let agent = std::env::current_exe().context("where am I?")?;
                let files = [(ssh::PROGRAM, program.path.as_path())];
                let hosts = SshCluster::provision(access, named, run_id, &agent, &files)?;
                (program, Arc::new(hosts), stand)
            }
            (SitePlan::External(urls), stand) => {
                let cluster = Arc::new(ExternalCluster { nodes: prepared.nodes.clone() });
                return Ok(Site { urls: urls.clone(), cluster, hosts: None, stand });
            }
            (SitePlan::Started(..), None) => bail!("nodes of ours need a sandbox"),
        };
        let at = |node| hosts.clients_reach(node, database.ports());
        let url = |node| format!("{}://{}", database.scheme(), at(node));
        let urls: Vec<String> = (0..nodes).map(url).collect();
        let daemons = install(prepared, program, &*hosts, folder)?;
        if database.administration().is_some() {
            let (database, nodes) = (database.clone(), prepared.nodes.clone());
            let started = (Arc::downgrade(&hosts), daemons);
            hosts.administer(Box::new(Membership::new(database, nodes, urls.clone(), started)?));
        }
        Ok(Site { urls, cluster: hosts.clone(), hosts: Some(hosts), stand })
    }

    /// Starts every node.
    pub fn start(&self) -> anyhow::Result<()> {
        let Some(hosts) = &self.hosts else { return Ok(()) };
        for node in 0..self.urls.len() {
            hosts.launch(node)?;
        }
        Ok(())
    }

    /// Waits until every node serves, and makes one cluster of those that were started here.
    pub fn wait_ready(
        &self,
        prepared: &Prepared,
        runtime: &Runtime,
        interrupted: &Interrupted,
        folder: &RunFolder,
    ) -> anyhow::Result<()> {
        let database = &prepared.database;
        // Short, because a node without a leader may let the question hang until it is asked anew. What
        // runs elsewhere may be far away.
        let (patience, each_ms) = match self.hosts {
            Some(_) => (database.ready_within(), 300),
            None => (ANSWER_WITHIN, 1_000),
        };
        let asker = Asker::new(Duration::from_millis(each_ms));
        let until = Instant::now() + patience;
        let wait = |node: usize, ask: &mut dyn FnMut() -> Result<(), String>| {
            let mut said: Vec<String> = Vec::new();
            loop {
                let Err(why) = ask() else { return Ok(()) };
                if said.last() != Some(&why) {
                    said.push(why);
                }
                if interrupted.get() {
                    bail!("interrupted while the nodes were starting");
                }
                let ended = self.exited().into_iter().next();
                if ended.is_none() && Instant::now() <= until {
                    std::thread::sleep(ASK_EVERY);
                    continue;
                }
                self.collect(folder);
                let (node, what) = ended.map_or_else(
                    || (node, format!("({}) does not serve: {}", self.urls[node], last_of(&said))),
                    |(node, how)| (node, format!("has ended by itself: {how}")),
                );
                let name = &prepared.nodes[node];
                return Err(anyhow!("{name} {what}")).with_context(|| last_lines(folder, name));
            }
        };
        for (node, url) in self.urls.iter().enumerate() {
            wait(node, &mut || runtime.block_on(database.ready(&asker, url)))?;
        }
        if self.hosts.is_some() {
            wait(0, &mut || runtime.block_on(database.assemble(&asker, &self.urls)))?;
        }
        Ok(())
    }

    /// The nodes, if they were started here.
    pub fn hosts(&self) -> Option<&Arc<dyn Hosts>> {
        self.hosts.as_ref()
    }

    /// Nodes whose program has ended although nobody killed it, and how.
    pub fn exited(&self) -> Vec<(usize, String)> {
        self.hosts.as_ref().map(|hosts| hosts.exited()).unwrap_or_default()
    }

    /// Whether the process that cleans up behind the harness is still there.
    pub fn is_guarded(&self) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.is_guarded())
    }

    /// Brings the nodes' logs to the folder of the run; what could not be brought.
    pub fn collect(&self, folder: &RunFolder) -> Vec<String> {
        self.hosts.as_ref().map(|hosts| hosts.collect(&folder.path)).unwrap_or_default()
    }

    /// Takes everything down and says what could not be removed.
    pub fn tear_down(self) -> Vec<String> {
        drop(self.stand);
        let Some(hosts) = self.hosts else { return Vec::new() };
        let left = hosts.tear_down().0.into_iter();
        left.map(|what| format!("still there: {what}{}", hosts.remedy())).collect()
    }
}

/// Gives each node its folder in the run's, and says what runs there, which is returned.
fn install(
    prepared: &Prepared,
    program: &Program,
    hosts: &dyn Hosts,
    folder: &RunFolder,
) -> anyhow::Result<Vec<Daemon>> {
    let mut daemons = Vec::new();
    let mut data_folders = Vec::new();
    for (this, name) in prepared.nodes.iter().enumerate() {
        let members = hosts.told_to(this, prepared.database.ports());
        let here = folder.file(name);
        std::fs::create_dir_all(&here)
            .with_context(|| format!("the folder {} cannot be made", here.display()))?;
        let folder = hosts.folder_there(this, &here);
        let program = Program { path: hosts.program_there(this, &program.path), ..program.clone() };
        data_folders.push(folder.join("data"));
        // Logs are kept with the run, data is not.
        hosts.remove_at_end(&folder.join("data"))?;
        let mut daemon = prepared.database.daemon(&program, &members, this, &folder);
        daemon.env.push(("SPLITBRAIN_SEED".to_owned(), prepared.seed.to_string()));
        daemons.push(daemon);
    }
    hosts.install(daemons.clone())?;
    let disk = prepared.plan.disk.then_some(Capability::Disks);
    let needed = prepared.timeline.iter().map(|step| step.choice.fault.needs);
    hosts.attach(&needed.chain(disk).collect::<Vec<_>>(), &data_folders);
    Ok(daemons)
}

/// What a node said last. On a busy machine that may be nothing, so what it said before is told too.
fn last_of(said: &[String]) -> String {
    match said {
        [.., before, last] => format!("{last}; before that: {before}"),
        said => said.concat(),
    }
}

/// The end of a node's log, which nearly always says why it does not serve.
fn last_lines(folder: &RunFolder, node: &str) -> String {
    let logs = std::fs::read_dir(folder.file(node)).into_iter().flatten().flatten();
    let log =
        logs.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "log"));
    let bytes = log.as_ref().and_then(|log| std::fs::read(log).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [] => "the cluster did not come up".to_owned(),
        lines => {
            let tail = lines[lines.len().saturating_sub(5)..].join("\n  ");
            format!("the cluster did not come up; the last lines of {node}'s log:\n  {tail}\n")
        }
    }
}
