//! RabbitMQ: one queue, kept by a Raft group (quorum), by one node with copies at all others
//! (mirrored) or by one node alone (classic). Any node takes operations and hands them to the one
//! that leads the queue.
//!
//! What nodes do that see each other no more is told them (`cluster_partition_handling`): quorum
//! queues do not need it, mirrored ones have a leader on either side, of which one gives way.

mod amqp;
mod client;
mod frames;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_workloads::objects::total_queue::TotalQueue;
use splitbrain_workloads::{BoxFuture, Clients};

use super::wire::{self, Wire};
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Told, new_enough};
use crate::environments::{Daemon, Member};
use client::RabbitClient;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "rabbitmq",
    about: "RabbitMQ from Debian's rabbitmq-server: a queue, with publisher confirms.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(RabbitMq { told: Told::parse(ENTRY.name, OPTIONS, rest)? })),
};

const OPTIONS: &[Opt] = &[
    Opt {
        name: "queue",
        usual: "quorum",
        words: &["quorum", "classic", "mirrored"],
        about: "kept by a Raft group, by one node, or by one node with copies at all others",
    },
    Opt {
        name: "partition-handling",
        usual: "pause_minority",
        words: &["autoheal", "pause_minority", "ignore"],
        about: "what nodes do that see each other no more",
    },
];

const FOLDER: &str = "/usr/lib/rabbitmq";
const AMQP_PORT: u16 = 5672;
/// Where a node tells of itself over HTTP.
const MANAGEMENT_PORT: u16 = 15672;
/// Where nodes talk to each other.
const DISTRIBUTION_PORT: u16 = 25672;
/// Where Erlang's own directory of nodes is.
const DIRECTORY_PORT: u16 = 4369;
/// A node that says nothing for so long is taken for down. The usual 60 s are longer than most
/// faults last.
const TICK_S: u32 = 5;

struct RabbitMq {
    told: Told,
}

impl Database for RabbitMq {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    /// The version is in the name of a folder. The program has no answer to that: it would start.
    fn find(&self) -> Result<Program, Missing> {
        let found = Path::new(FOLDER).join("lib").read_dir().ok();
        let mut names = found.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let version = names
            .find_map(|name| name.to_str()?.strip_prefix("rabbitmq_server-").map(str::to_owned));
        let path = Path::new(FOLDER).join("bin/rabbitmq-server");
        match version.filter(|_| path.exists()) {
            Some(version) => {
                // Quorum queues.
                new_enough("RabbitMQ", &version, (3, 8), &path)?;
                Ok(Program { path, version })
            }
            None => Err(Missing {
                what: format!("RabbitMQ cannot be used: it is not in {FOLDER}"),
                remedy: Some("apt-get install rabbitmq-server".to_owned()),
            }),
        }
    }

    fn ports(&self) -> &'static [u16] {
        &[AMQP_PORT, MANAGEMENT_PORT, DISTRIBUTION_PORT, DIRECTORY_PORT]
    }

    fn scheme(&self) -> &'static str {
        "amqp"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("amqps")
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("nodes are named after their addresses")
    }

    /// Its names are addresses, so that nothing has to know them. All it would keep elsewhere, its
    /// settings and its cookie included, is given or kept in the node's folder.
    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let member = &cluster[this];
        let at = member.listens[0].ip();
        let interface = match at {
            IpAddr::V4(ip) => ip.octets().map(|octet| octet.to_string()).join(","),
            IpAddr::V6(ip) => ip.segments().map(|segment| segment.to_string()).join(","),
        };
        let below = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let port = |which: usize| member.listens[which].port().to_string();
        let env = [
            ("HOME", folder.to_string_lossy().into_owned()),
            ("RABBITMQ_NODENAME", name(member.reached[0].ip())),
            ("RABBITMQ_USE_LONGNAME", "true".to_owned()),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
            ("RABBITMQ_CONFIG_FILE", below("rabbitmq.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", below("plugins")),
            ("RABBITMQ_MNESIA_BASE", below("data")),
            ("RABBITMQ_LOG_BASE", below("data")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_PID_FILE", below("pid")),
            ("RABBITMQ_DIST_PORT", port(2)),
            ("ERL_EPMD_ADDRESS", at.to_string()),
            ("ERL_EPMD_PORT", port(3)),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!(
                    "-setcookie splitbrain +S 1:1 -kernel inet_dist_use_interface {{{interface}}}"
                ),
            ),
        ];
        Daemon {
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            files: vec![
                ("rabbitmq.conf".into(), self.settings(cluster, member.listens[0], &port(1))),
                ("plugins".into(), "[rabbitmq_management].\n".to_owned()),
            ],
            ..Daemon::new(program, folder)
        }
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let opening = async {
                let mut stream = wire::open(wire::address(url)).await?;
                amqp::open(&mut stream).await
            };
            asker.wait(opening).await
        })
    }

    /// All have found each other, and know that queues are to be mirrored.
    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            for url in urls {
                let nodes = told(asker, url, "nodes").await?;
                let running = nodes.as_array().into_iter().flatten();
                let running = running.filter(|node| node["running"] == true).count();
                if running != urls.len() {
                    return Err(format!("{running} nodes are in its cluster, by its own word"));
                }
            }
            if self.told.get("queue") == "mirrored" {
                let policy = json!({
                    "pattern": "", "apply-to": "queues",
                    "definition": { "ha-mode": "all", "ha-sync-mode": "automatic" },
                });
                let put = asker.http.put(management(&urls[0], "policies/%2F/mirrored"));
                ask(put.json(&policy)).await?;
            }
            Ok(())
        })
    }

    /// Whether it leads the queue, as far as it knows.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let queues = told(asker, url, "queues?disable_stats=true").await?;
            let own = format!("rabbit@{}", wire::host(url));
            let mut queues = queues.as_array().into_iter().flatten();
            let leads = queues.any(|queue| queue["leader"] == own || queue["node"] == own);
            Ok(Role { leads, term: None })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let kind = if self.told.get("queue") == "quorum" { "quorum" } else { "classic" };
        let connect = move |node: usize| RabbitClient {
            wire: Wire::new(wire::address(&urls[node])),
            queue: format!("{prefix}queue"),
            kind,
        };
        Clients::default().serve::<TotalQueue, _>(connect)
    }
}

impl RabbitMq {
    /// It counts its memory by itself, since `/proc` may know its process by another number.
    fn settings(&self, cluster: &[Member], at: SocketAddr, management_port: &str) -> String {
        let nodes: String = cluster
            .iter()
            .zip(1..)
            .map(|(member, number)| {
                let name = name(member.reached[0].ip());
                format!("cluster_formation.classic_config.nodes.{number} = {name}\n")
            })
            .collect();
        format!(
            "listeners.tcp.1 = {at}\nmanagement.tcp.ip = {ip}\nmanagement.tcp.port = {management_port}\n\
             cluster_formation.peer_discovery_backend = classic_config\n{nodes}\
             cluster_partition_handling = {handling}\nnet_ticktime = {TICK_S}\n\
             loopback_users = none\nvm_memory_calculation_strategy = erlang\n",
            ip = at.ip(),
            handling = self.told.get("partition-handling"),
        )
    }
}

fn name(ip: IpAddr) -> String {
    format!("rabbit@{ip}")
}

fn management(url: &str, what: &str) -> String {
    format!("http://{}:{MANAGEMENT_PORT}/api/{what}", wire::host(url))
}

/// What a node tells of itself.
async fn told(asker: &Asker, url: &str, what: &str) -> Result<Value, String> {
    ask(asker.http.get(management(url, what))).await
}

async fn ask(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let answer = super::http::ask(request.basic_auth(amqp::user().0, Some(amqp::user().1))).await?;
    match answer.status {
        200..300 => Ok(answer.body),
        status => Err(format!("it answered {status}: {}", answer.body)),
    }
}
