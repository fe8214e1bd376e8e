//! Redis Cluster: keys are spread over primaries, each with a replica that follows it
//! asynchronously, and the primaries together replace one that they cannot reach.
//!
//! A client asks the node that it is bound to, and goes where that sends it.

use std::path::Path;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::{BoxFuture, Clients, OpError};

use super::redis::resp::Reply;
use super::redis::{self, RedisClient, Route};
use super::wire::{self, Wire};
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Told};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "redis-cluster",
    about: "Redis Cluster from Debian's redis-server: three primaries that share the keys, three replicas.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(RedisCluster { told: Told::parse(ENTRY.name, OPTIONS, rest)? })),
};

const OPTIONS: &[Opt] = &[redis::READ_MODE, redis::MIN_REPLICAS, redis::WAIT, redis::APPENDFSYNC];

/// Where nodes talk to each other: the usual distance from the port of the data.
const BUS_PORT: u16 = redis::PORT + 10_000;
/// After so long without an answer a node is taken for down. The usual 15 s would be longer than
/// most faults last.
const NODE_TIMEOUT_MS: u32 = 2_000;
/// How many parts the keys are in.
const SLOTS: usize = 16_384;
/// With fewer nodes than that all are primaries.
const NODES_FOR_REPLICAS: usize = 6;
/// How often a client lets itself be sent elsewhere.
const MOVES_MOST: usize = 5;

const START: &str = "mkdir -p data && exec redis-server redis.conf";

struct RedisCluster {
    told: Told,
}

impl Database for RedisCluster {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        NODES_FOR_REPLICAS
    }

    fn find(&self) -> Result<Program, Missing> {
        // `CLUSTER ADDSLOTSRANGE`.
        redis::find((7, 0))
    }

    fn ports(&self) -> &'static [u16] {
        &[redis::PORT, BUS_PORT]
    }

    fn scheme(&self) -> &'static str {
        "redis"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("rediss")
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("nodes tell each other and clients where they are")
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let mut settings = redis::settings(&cluster[this], &self.told);
        settings += &format!(
            "cluster-enabled yes\ncluster-config-file nodes.conf\ncluster-node-timeout {NODE_TIMEOUT_MS}\n"
        );
        Daemon {
            program: "sh".into(),
            args: vec!["-c".to_owned(), START.to_owned()],
            env: Vec::new(),
            files: vec![("redis.conf".into(), settings)],
            directory: folder.to_owned(),
            log: folder.join("redis.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match redis::ask_once(asker, wire::address(url), &["PING"]).await? {
                Reply::Text(pong) if pong == "PONG" => Ok(()),
                other => Err(format!("it answered {other:?} to PING")),
            }
        })
    }

    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            let nodes: Vec<&str> = urls.iter().map(|url| wire::address(url)).collect();
            meet(asker, &nodes).await?;
            let primaries =
                if nodes.len() < NODES_FOR_REPLICAS { nodes.len() } else { nodes.len() / 2 };
            share_slots(asker, &nodes[..primaries]).await?;
            for (node, follows) in nodes[primaries..].iter().zip(nodes.iter().cycle()) {
                follow(asker, node, follows).await?;
            }
            for node in nodes {
                let state = info(asker, node, "cluster_state").await?;
                if state != "ok" {
                    return Err(format!("the state of the cluster is {state} at {node}"));
                }
            }
            Ok(())
        })
    }

    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let role = redis::ask_once(asker, wire::address(url), &["ROLE"]).await?;
            let leads = role.items().first().and_then(Reply::text) == Some("master");
            // Several lead at once, and each has an epoch of its own.
            Ok(Role { leads, term: None })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let local_reads = self.told.get("read-mode") == "local";
        let wait = self.told.get("wait").parse().unwrap_or_default();
        let connect = move |node: usize| RedisClient {
            route: BySlot { wires: vec![Wire::new(wire::address(&urls[node]))], local_reads },
            prefix: prefix.clone(),
            wait,
        };
        Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect)
    }
}

/// Has all nodes know of each other.
async fn meet(asker: &Asker, nodes: &[&str]) -> Result<(), String> {
    let all = nodes.len().to_string();
    let mut strangers = Vec::new();
    for (node, epoch) in nodes.iter().zip(1..) {
        if info(asker, node, "cluster_known_nodes").await? != all {
            // Each its own, before it knows of anybody; later it answers that it is too late.
            let epoch = format!("{epoch}");
            let _ = redis::ask_once(asker, node, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
            strangers.push(node);
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    for other in &nodes[1..] {
        let (host, port) = other.rsplit_once(':').unwrap_or((other, ""));
        redis::ask_once(asker, nodes[0], &["CLUSTER", "MEET", host, port]).await?;
    }
    Err(format!("{strangers:?} do not know all others"))
}

/// Gives each primary its part of the keys.
async fn share_slots(asker: &Asker, primaries: &[&str]) -> Result<(), String> {
    if info(asker, primaries[0], "cluster_slots_assigned").await? == SLOTS.to_string() {
        return Ok(());
    }
    for (at, node) in primaries.iter().enumerate() {
        let first = (at * SLOTS / primaries.len()).to_string();
        let last = ((at + 1) * SLOTS / primaries.len() - 1).to_string();
        match redis::ask_once(asker, node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await {
            Err(why) if !why.contains("already busy") => return Err(why),
            _ => {}
        }
    }
    Err("keys have just been shared out".to_owned())
}

/// Has a node follow a primary.
async fn follow(asker: &Asker, node: &str, primary: &str) -> Result<(), String> {
    let role = redis::ask_once(asker, node, &["ROLE"]).await?;
    match role.items() {
        [Reply::Text(role), ..] if role == "master" => {}
        [_, _, _, Reply::Text(state), ..] if state == "connected" => return Ok(()),
        _ => return Err(format!("{node} does not follow {primary} yet: {role:?}")),
    }
    let id = redis::ask_once(asker, primary, &["CLUSTER", "MYID"]).await?;
    let id = id.text().unwrap_or_default();
    redis::ask_once(asker, node, &["CLUSTER", "REPLICATE", id]).await?;
    Err(format!("{node} has just begun to follow {primary}"))
}

/// A field of what a node says of its cluster.
async fn info(asker: &Asker, node: &str, field: &str) -> Result<String, String> {
    let info = redis::ask_once(asker, node, &["CLUSTER", "INFO"]).await?;
    let mut lines = info.text().unwrap_or_default().lines();
    let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.map(str::to_owned).ok_or_else(|| format!("{node} says nothing of {field}"))
}

/// A client that goes where nodes send it.
struct BySlot {
    /// The way to its own node, and then to all to which it was sent.
    wires: Vec<Wire>,
    local_reads: bool,
}

impl BySlot {
    fn way_to(&mut self, address: &str) -> usize {
        let known = self.wires.iter().position(|wire| wire.address() == address);
        known.unwrap_or_else(|| {
            self.wires.push(Wire::new(address));
            self.wires.len() - 1
        })
    }
}

impl Route for BySlot {
    fn ask<'a>(
        &'a mut self,
        writes: bool,
        commands: &'a [&'a [String]],
    ) -> BoxFuture<'a, Result<Vec<Reply>, OpError>> {
        Box::pin(async move {
            let readonly = ["READONLY".to_owned()];
            let is_local = self.local_reads && !writes;
            // Without it a replica sends reads to its primary.
            let before = if is_local { &[&readonly[..]][..] } else { &[] };
            let commands = [before, commands].concat();
            let mut way = 0;
            for _ in 0..MOVES_MOST {
                let mut replies = redis::exchange(&mut self.wires[way], &commands).await?;
                replies.drain(..before.len());
                // The slot, and where it is: nothing was done here.
                let moved = match replies.first() {
                    Some(Reply::Error(text)) => text.strip_prefix("MOVED "),
                    _ => None,
                };
                match moved.and_then(|moved| moved.split_once(' ')) {
                    Some((_, address)) => way = self.way_to(address),
                    None => return Ok(replies),
                }
            }
            Err(OpError::fail(ErrorKind::Refused, "sent from one node to another"))
        })
    }
}
