//! A real cluster of a database, in a sandbox of this process, and its clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use serde_json::Value;
use splitbrain::databases::{self, Asker, Database, Given};
use splitbrain::environments::{Hosts, LocalCluster, Sandbox};
use splitbrain_checker::history::{ErrorKind, Kind};
use splitbrain_nemesis::Cluster;
use splitbrain_nemesis::node::Signal;
use splitbrain_workloads::objects::{self, Settings};
use splitbrain_workloads::{Completion, ErasedClient, Invocation};
use tokio::runtime::Runtime;

/// After this an operation is given up, as a run does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Until then servers have noticed that others are gone, or are there again.
const NOTICED_WITHIN: Duration = Duration::from_secs(20);

/// A database that serves.
pub struct Running {
    pub database: Arc<dyn Database>,
    pub cluster: LocalCluster,
    pub runtime: Runtime,
    urls: Vec<String>,
}

impl Running {
    /// Starts as many nodes as it usually has, or says why its program is not there. To be called
    /// while this process has one thread.
    pub fn start(target: &str) -> Result<Running, String> {
        let database = databases::open(target, &Given::default()).unwrap();
        let program = database.find().map_err(|missing| missing.to_string())?;
        let run = format!("drivers-{}", std::process::id());
        let sandbox = Sandbox::enter(&run).unwrap_or_else(|error| panic!("{error}"));
        let cluster = LocalCluster::provision(sandbox, database.default_nodes()).unwrap();
        let nodes = 0..cluster.nodes().len();
        let daemon = |node: usize| {
            let folder = cluster.directory().join(&cluster.nodes()[node].name);
            database.daemon(&program, &cluster.told_to(node, database.ports()), node, &folder)
        };
        cluster.install(nodes.clone().map(daemon).collect());
        nodes.clone().for_each(|node| LocalCluster::start(&cluster, node).unwrap());
        let reached = |node| cluster.clients_reach(node, database.ports());
        let urls = nodes.map(|node| url(&*database, reached(node))).collect();
        let runtime = Runtime::new().unwrap();
        let running = Running { database, cluster, runtime, urls };
        running.wait();
        Ok(running)
    }

    /// Waits until all nodes serve, as one cluster.
    pub fn wait(&self) {
        let asker = Asker::new(Duration::from_millis(300));
        let until = Instant::now() + self.database.ready_within();
        loop {
            let serves = self.runtime.block_on(async {
                for url in &self.urls {
                    self.database.ready(&asker, url).await?;
                }
                self.database.assemble(&asker, &self.urls).await
            });
            let Err(why) = serves else { return };
            assert!(Instant::now() < until, "{why}; {:?}", self.cluster.exited());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A node that does not lead, by its own word.
    pub fn follower(&self) -> usize {
        let asker = Asker::new(Duration::from_secs(1));
        let leads =
            |node: usize| self.runtime.block_on(self.database.role(&asker, &self.urls[node]));
        let mut nodes = 0..self.urls.len();
        nodes.find(|node| !leads(*node).unwrap().leads).expect("a node that follows")
    }

    /// A client at home at a node, or nothing if the vocabulary is not served.
    pub fn client(
        &self,
        vocabulary: &str,
        home: usize,
        prefix: &str,
    ) -> Option<Box<dyn ErasedClient>> {
        let clients = self.database.clients(self.urls.clone(), prefix.to_owned());
        clients.connect(vocabulary, home, &initial(vocabulary))
    }

    /// A client at home at the second of the same nodes that was told something else.
    pub fn client_as(&self, target: &str, vocabulary: &str, prefix: &str) -> Box<dyn ErasedClient> {
        let database = databases::open(target, &Given::default()).unwrap();
        let clients = database.clients(self.urls.clone(), prefix.to_owned());
        clients.connect(vocabulary, 1, &initial(vocabulary)).expect("it serves the same")
    }

    /// Where a node's clients reach it.
    pub fn at(&self, node: usize) -> SocketAddr {
        self.cluster.clients_reach(node, self.database.ports())
    }

    /// A client of nodes that are not there.
    pub fn stray_client(&self, vocabulary: &str) -> Option<Box<dyn ErasedClient>> {
        let nowhere = url(&*self.database, SocketAddr::from(([127, 0, 0, 1], 1)));
        let urls = vec![nowhere; self.urls.len()];
        let clients = self.database.clients(urls, "stray-".to_owned());
        clients.connect(vocabulary, 0, &initial(vocabulary))
    }

    /// The names of what is served.
    pub fn served(&self) -> Vec<&'static str> {
        self.database.clients(self.urls.clone(), String::new()).names().collect()
    }

    /// Carries out one operation and says in words what became of it.
    pub fn tell(&self, client: &mut dyn ErasedClient, operation: &Invocation) -> String {
        self.runtime.block_on(told(client, operation))
    }

    /// Carries out one operation again and again until what became of it begins so.
    pub fn until_told(&self, client: &mut dyn ErasedClient, operation: &Invocation, expect: &str) {
        let until = Instant::now() + NOTICED_WITHIN;
        loop {
            let said = self.tell(client, operation);
            if said.starts_with(expect) {
                return;
            }
            assert!(Instant::now() < until, "{said}, not {expect}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops every process of these nodes, and returns when they are stopped.
    pub fn stop(&self, nodes: &[usize]) {
        self.signal(nodes, Signal::Stop);
        let processes = self.cluster.processes().unwrap();
        let is_stopped = |node: &usize| processes.states(*node).unwrap().iter().all(|p| p.stopped);
        while !nodes.iter().all(is_stopped) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills nodes that are stopped, the last process first: when a shell goes before those that it has
    /// started, the kernel lets them go on for a moment (POSIX, orphaned process groups).
    pub fn kill_stopped(&self, nodes: &[usize]) {
        let processes = self.cluster.processes().unwrap();
        let all = nodes.iter().flat_map(|node| processes.states(*node).unwrap());
        for process in all.collect::<Vec<_>>().into_iter().rev() {
            kill(Pid::from_raw(process.pid), SIGKILL).unwrap();
        }
        self.signal(nodes, Signal::Kill);
    }

    /// Sends a signal to every process of these nodes.
    pub fn signal(&self, nodes: &[usize], signal: Signal) {
        for node in nodes {
            self.cluster.processes().unwrap().signal(*node, signal).unwrap();
        }
    }
}

fn url(database: &dyn Database, at: SocketAddr) -> String {
    format!("{}://{at}", database.scheme())
}

/// What became of an operation: `ok VALUE`, or `fail` or `info` with the kind of the error and its
/// words.
pub async fn told(client: &mut dyn ErasedClient, operation: &Invocation) -> String {
    let Ok(completion) = tokio::time::timeout(PATIENCE, client.invoke(operation)).await else {
        return format!("info {}: no answer", name(ErrorKind::Timeout));
    };
    let Completion { kind, value, error, .. } = completion;
    let error = error.map(|error| format!("{}: {}", name(error.kind), error.text));
    match kind {
        Kind::Ok => format!("ok {value}"),
        Kind::Fail => format!("fail {}", error.unwrap_or_default()),
        _ => format!("info {}", error.unwrap_or_default()),
    }
}

fn name(kind: ErrorKind) -> String {
    format!("{kind:?}").to_lowercase()
}

/// What the objects of a vocabulary hold at first.
fn initial(vocabulary: &str) -> Value {
    let loads = objects::ALL.iter().map(|workload| (workload.load)(&Settings::default()));
    let load = loads.into_iter().find(|load| load.vocabulary() == vocabulary);
    load.map_or(Value::Null, |load| load.initial())
}
