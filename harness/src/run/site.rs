//! The nodes of a run: brought up, waited for, and taken down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use splitbrain_nemesis::{Capability, Cluster, Links, Processes};
use tokio::runtime::Runtime;

use super::folder::RunFolder;
use super::members::Membership;
use super::prepare::{Prepared, SitePlan};
use super::signals::Interrupted;
use crate::databases::{Asker, Member, Program};
use crate::environments::{LocalCluster, Sandbox};

/// How long a cluster may take until all its nodes serve.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The nodes of a run.
pub struct Site {
    /// Where clients reach each node.
    pub urls: Vec<String>,
    /// What the nemesis can break.
    pub cluster: Arc<dyn Cluster>,
    local: Option<Arc<LocalCluster>>,
}

/// Nodes of which only the addresses are known: nothing can be broken there.
struct External {
    nodes: Vec<String>,
}

impl Cluster for External {
    fn nodes(&self) -> &[String] {
        &self.nodes
    }
    fn links(&self) -> Option<&dyn Links> {
        None
    }
    fn processes(&self) -> Option<&dyn Processes> {
        None
    }
}

/// Enters the sandbox if the nodes will live here. Must come before any thread.
pub fn enter(prepared: &Prepared, run_id: &str) -> anyhow::Result<Option<Sandbox>> {
    match prepared.site {
        SitePlan::Local(_) => Ok(Some(Sandbox::enter(run_id)?)),
        SitePlan::External(_) => Ok(None),
    }
}

impl Site {
    /// Makes the network and the nodes' folders; nothing runs yet.
    pub fn provision(
        prepared: &Prepared,
        sandbox: Option<Sandbox>,
        folder: &RunFolder,
    ) -> anyhow::Result<Site> {
        let (sandbox, program) = match (&prepared.site, sandbox) {
            (SitePlan::Local(program), Some(sandbox)) => (sandbox, program),
            (SitePlan::External(urls), _) => {
                let cluster = Arc::new(External { nodes: prepared.nodes.clone() });
                return Ok(Site { urls: urls.clone(), cluster, local: None });
            }
            (SitePlan::Local(_), None) => bail!("a local cluster needs a sandbox"),
        };
        let local = Arc::new(LocalCluster::provision(sandbox, prepared.nodes.len())?);
        let urls: Vec<String> =
            local.nodes().iter().map(|node| prepared.database.url(node.address)).collect();
        if prepared.needs(Capability::Limits) {
            local.prepare_limits();
        }
        install(prepared, program, &local, folder)?;
        if prepared.database.administration().is_some() {
            let (database, nodes) = (prepared.database.clone(), prepared.nodes.clone());
            local.administer(Box::new(Membership::new(database, nodes, urls.clone())?));
        }
        Ok(Site { urls, cluster: local.clone(), local: Some(local) })
    }

    /// Starts every node.
    pub fn start(&self) -> anyhow::Result<()> {
        let Some(local) = &self.local else { return Ok(()) };
        for node in 0..self.urls.len() {
            local.start(node)?;
        }
        Ok(())
    }

    /// Waits until every node serves.
    pub fn wait_ready(
        &self,
        prepared: &Prepared,
        runtime: &Runtime,
        interrupted: &Interrupted,
        folder: &RunFolder,
    ) -> anyhow::Result<()> {
        // Short, because a node without a leader may let the question hang until it is asked anew.
        let asker = Asker::new(Duration::from_millis(300));
        let begun = Instant::now();
        for (node, url) in self.urls.iter().enumerate() {
            let name = &prepared.nodes[node];
            loop {
                let answer = runtime.block_on(prepared.database.ready(&asker, url));
                let Err(why) = answer else { break };
                if interrupted.get() {
                    bail!("interrupted while the nodes were starting");
                }
                if let Some((node, how)) = self.exited().into_iter().next() {
                    let name = &prepared.nodes[node];
                    return Err(anyhow!("{name} has ended by itself: {how}"))
                        .with_context(|| last_lines(folder, name));
                }
                let patience =
                    if self.local.is_some() { READY_WITHIN } else { Duration::from_secs(5) };
                if begun.elapsed() > patience {
                    return Err(anyhow!("{name} ({url}) does not serve: {why}"))
                        .with_context(|| last_lines(folder, name));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    /// Nodes whose program has ended although nobody killed it, and how.
    pub fn exited(&self) -> Vec<(usize, String)> {
        self.local.as_ref().map(|local| local.exited()).unwrap_or_default()
    }

    /// Whether the process that cleans up behind the harness is still there.
    pub fn is_guarded(&self) -> bool {
        self.local.as_ref().is_none_or(|local| local.keeper_is_alive())
    }

    /// Takes everything down and says what could not be removed.
    pub fn tear_down(self) -> Vec<String> {
        let left = self.local.map(|local| local.tear_down().0).unwrap_or_default();
        left.into_iter().map(|what| format!("still there: {what}; try `splitbrain heal`")).collect()
    }
}

/// Gives each node its folder in the run's, and says what runs there.
fn install(
    prepared: &Prepared,
    program: &Program,
    local: &LocalCluster,
    folder: &RunFolder,
) -> anyhow::Result<()> {
    let members: Vec<Member> = local
        .nodes()
        .iter()
        .map(|node| Member { name: node.name.clone(), address: node.address })
        .collect();
    let mut daemons = Vec::new();
    let mut data_folders = Vec::new();
    for (this, member) in members.iter().enumerate() {
        let folder = folder.file(&member.name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        // Logs are kept with the run, data is not.
        data_folders.push(folder.join("data"));
        local.remove_at_end(&folder.join("data"))?;
        daemons.push(prepared.database.daemon(program, &members, this, &folder));
    }
    local.install(daemons);
    if prepared.plan.disk || prepared.needs(Capability::Disks) {
        local.attach_disks(&data_folders);
    }
    if prepared.needs(Capability::Clocks) {
        local.attach_clocks();
    }
    Ok(())
}

/// The end of a node's log, which nearly always says why it does not serve.
fn last_lines(folder: &RunFolder, node: &str) -> String {
    let logs = std::fs::read_dir(folder.file(node)).into_iter().flatten().flatten();
    let log =
        logs.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "log"));
    let text = log.as_ref().and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [] => "the cluster did not come up".to_owned(),
        lines => {
            let tail = lines[lines.len().saturating_sub(5)..].join("\n  ");
            format!("the cluster did not come up; the last lines of {node}'s log:\n  {tail}\n")
        }
    }
}
