//! Programs of the Maelstrom protocol, each node a process that reads and writes lines of JSON
//! (`docs/src/maelstrom.md`).
//!
//! What Maelstrom simulates is real here: beside each node stands a [`bridge`], which sends every message
//! to another node as a datagram of its own. So what breaks links, processes and clocks of servers breaks
//! those of such programs too, and a message is lost, late, doubled or overtaken as packets are.

pub(crate) mod bridge;
mod client;
mod door;
mod latency;
mod message;
mod services;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use splitbrain_workloads::{BoxFuture, Clients, ErasedClient};

use super::given::words;
use super::{Asker, Database, Entry, Given, Missing, Opt, Program, Told};
use crate::environments::{Daemon, Member};
use client::{NodeClient, VOCABULARIES};
use services::Services;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "maelstrom",
    about: "A program of the Maelstrom protocol (--bin), one process for each node.",
    options: OPTIONS,
    open: |rest| {
        let told = Told::parse("maelstrom", OPTIONS, rest)?;
        Ok(Box::new(Maelstrom { told, bin: Vec::new(), services: Mutex::default() }))
    },
};

const OPTIONS: &[Opt] = &[
    Opt {
        name: "set",
        usual: "broadcast",
        words: &["broadcast", "g-set"],
        about: "the protocol of which the workloads on sets make use",
    },
    Opt {
        name: "topology",
        usual: "grid",
        words: &["grid", "line", "total"],
        about: "whom each node is told to be its neighbours, for broadcast",
    },
    Opt { name: "latency", usual: "0", words: &[], about: "of messages between nodes, mean in ms" },
    Opt {
        name: "distribution",
        usual: "exponential",
        words: &["constant", "uniform", "exponential"],
        about: "of that latency; the seed decides",
    },
    Opt { name: "init", usual: "10", words: &[], about: "how long a node may take to start, in s" },
];

struct Maelstrom {
    told: Told,
    /// The program of a node, and its arguments.
    bin: Vec<String>,
    /// What nodes may ask, once the first of them is there.
    services: Mutex<Services>,
}

impl Database for Maelstrom {
    fn target(&self) -> String {
        format!("maelstrom{}", self.told)
    }

    fn take(&mut self, given: &Given) -> Result<(), String> {
        given.only(ENTRY.name, &["bin"])?;
        let missing = "--db maelstrom needs the program of a node: --bin ./my-node";
        self.bin = words("bin", given.bin.as_deref().ok_or(missing)?)?;
        Ok(())
    }

    /// Beside each node stands this very program.
    fn find(&self) -> Result<Program, Missing> {
        let path = std::env::current_exe().map_err(|error| Missing {
            what: format!("where am I? {error}"),
            remedy: Some("start splitbrain by its path".to_owned()),
        })?;
        Ok(Program { path, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    fn must_live(&self) -> bool {
        true
    }

    fn ports(&self) -> &'static [u16] {
        &[7000]
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let member = &cluster[this];
        let peers: Vec<String> =
            cluster.iter().map(|peer| format!("{}={}", peer.name, peer.reached[0])).collect();
        let flags = [
            [bridge::ROLE, &member.name],
            ["--listen", &member.listens[0].to_string()],
            ["--peers", &peers.join(",")],
            ["--init-s", self.told.get("init")],
            ["--latency-ms", self.told.get("latency")],
            ["--distribution", self.told.get("distribution")],
        ];
        let log = folder.join("node.log");
        let topology = ["--topology", self.told.get("topology")];
        let topology = topology.into_iter().filter(|_| self.told.get("set") == "broadcast");
        let daemon = Daemon::new(program, folder).args(flags.concat()).args(topology);
        let daemon = daemon.args(["--log", &log.to_string_lossy(), "--"]);
        Daemon { log, ..daemon.args(self.bin.clone()) }
    }

    fn ready<'a>(&'a self, _asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            // A node may ask for a service before it is ready.
            self.services.lock().unwrap_or_else(PoisonError::into_inner).serve(url);
            door::is_ready(url).await
        })
    }

    fn clients(&self, urls: Vec<String>, _prefix: String) -> Clients {
        // The cluster is new and of this run alone, so keys need no prefix.
        let shared = Arc::new(client::Shared::new(self.told.get("set") == "broadcast"));
        let clients = Clients::default();
        VOCABULARIES.iter().fold(clients, |clients, vocabulary| {
            let (urls, shared) = (urls.clone(), shared.clone());
            clients.serve_erased(vocabulary, move |node, _| -> Box<dyn ErasedClient> {
                let name = format!("n{}", node + 1);
                Box::new(NodeClient::new(&urls[node], name, vocabulary, shared.clone()))
            })
        })
    }
}
