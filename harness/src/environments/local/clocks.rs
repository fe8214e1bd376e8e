//! Nodes whose programs can be told another time of day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::clock::{
    Clocks, Deviation, LIBRARY, PAGE_VARIABLE, Page, Reading, asks_libc,
};
use splitbrain_nemesis::node::NodeError;

use super::LocalCluster;
use super::capabilities::node_error;
use super::helpers::{CLOCK, helper};
use crate::environments::tool::look_up;

/// The clocks of all nodes, or why there are none.
pub(super) type MaybeClocks = OnceLock<Result<NodeClocks, String>>;

/// The library, and a page for each node.
pub(super) struct NodeClocks {
    library: PathBuf,
    pages: Vec<Mutex<Page>>,
}

impl NodeClocks {
    fn make(folder: &Path, names: &[String]) -> io::Result<NodeClocks> {
        fs::create_dir(folder)?;
        let library = folder.join("clock.so");
        fs::write(&library, LIBRARY)?;
        let page = |name: &String| Page::create(&folder.join(name)).map(Mutex::new);
        Ok(NodeClocks { library, pages: names.iter().map(page).collect::<io::Result<_>>()? })
    }

    fn page(&self, node: usize) -> MutexGuard<'_, Page> {
        self.pages[node].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a program of the node needs in its environment, given what it has there already.
    fn environment(&self, node: usize, preload: Option<&str>) -> [(&'static str, String); 2] {
        let ours = self.library.display().to_string();
        let preload = preload.filter(|others| !others.is_empty());
        let preload = preload.map_or(ours.clone(), |others| format!("{ours}:{others}"));
        let page = self.page(node).path().display().to_string();
        [("LD_PRELOAD", preload), (PAGE_VARIABLE, page)]
    }
}

impl LocalCluster {
    /// Has the nodes' programs, which are installed and do not run yet, ask a clock that can be
    /// made wrong. Where they would not ask it, the cluster has no [`Clocks`] and says why.
    pub fn attach_clocks(&self) {
        self.clocks.get_or_init(|| {
            if LIBRARY.is_empty() {
                return Err("no library for this kind of machine".to_owned());
            }
            for node in &self.nodes {
                let program = node.program();
                let daemon = program.daemon.as_ref().ok_or("no program is installed")?;
                if let Some(program) = look_up(&daemon.program) {
                    asks_libc(&program).map_err(|why| why.to_string())?;
                }
            }
            NodeClocks::make(&self.sandbox.directory().join("clocks"), &self.names)
                .map_err(|error| format!("no clocks: {error}"))
        });
    }

    /// What is added to the environment of a node's program.
    pub(super) fn clock_environment(&self, node: usize) -> Vec<(&'static str, String)> {
        let Ok(clocks) = self.node_clocks() else { return Vec::new() };
        let program = self.nodes[node].program();
        let own = program.daemon.iter().flat_map(|daemon| &daemon.env);
        let own = own.rev().find(|(name, _)| name == "LD_PRELOAD").map(|(_, value)| value.clone());
        let preload = own.or_else(|| std::env::var("LD_PRELOAD").ok());
        clocks.environment(node, preload.as_deref()).into()
    }

    fn node_clocks(&self) -> Result<&NodeClocks, NodeError> {
        let clocks = self.clocks.get().and_then(|clocks| clocks.as_ref().ok());
        clocks.ok_or_else(|| node_error("it has no clock of ours"))
    }
}

impl Clocks for LocalCluster {
    fn set(&self, node: usize, deviation: &Deviation) -> Result<(), NodeError> {
        self.node_clocks()?.page(node).set(deviation);
        Ok(())
    }

    fn get(&self, node: usize) -> Result<Deviation, NodeError> {
        let told = self.node_clocks()?.page(node).get();
        told.ok_or_else(|| node_error("what its clock is told is half written"))
    }

    fn readings(&self, node: usize, during: Duration) -> Result<Vec<Reading>, NodeError> {
        let environment = self.node_clocks()?.environment(node, None);
        let during_ms = during.as_millis().to_string();
        let said = self.nodes[node].agent.ask(move || {
            let mut clock = helper(CLOCK, during_ms.as_ref())?;
            clock.envs(environment).stdin(Stdio::null()).stderr(Stdio::null()).output()
        });
        let said = said.wait().map_err(node_error)?;
        let readings = said.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        readings.map(|line| serde_json::from_slice(line).map_err(node_error)).collect()
    }

    fn unreached(&self, node: usize) -> Result<Vec<i32>, NodeError> {
        let library = self.node_clocks()?.library.display().to_string();
        let unreached = |pid: &i32| {
            // Of a process that has ended meanwhile there is nothing to read.
            let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            !maps.is_empty() && !maps.contains(&library)
        };
        let processes = self.processes_of(node)?;
        Ok(processes.iter().map(|process| process.pid).filter(unreached).collect())
    }
}
