//! NATS with JetStream: a key-value bucket, kept by a Raft group of up to three servers.
//!
//! Every server takes requests and hands them to who can answer. Reads are answered by any replica
//! or by the stream's leader alone; neither asks a majority whether it still leads.

mod client;
mod protocol;

use std::path::Path;

use serde_json::Value;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::{BoxFuture, Clients};

use super::wire;
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Seek, Told};
use crate::environments::{Daemon, Member};
use client::{NatsClient, make_bucket};
use protocol::Requests;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "nats",
    about: "NATS JetStream from Debian's nats-server: a key-value bucket of three replicas.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(Nats { told: Told::parse(ENTRY.name, OPTIONS, rest)? })),
};

const OPTIONS: &[Opt] = &[Opt {
    name: "read-mode",
    usual: "direct",
    words: &["direct", "leader"],
    about: "reads are answered by any replica, as clients of buckets ask, or by the leader",
}];

const CLIENT_PORT: u16 = 4222;
const CLUSTER_PORT: u16 = 6222;
/// Where a server tells of itself over HTTP.
const MONITOR_PORT: u16 = 8222;
/// The bucket, on a running cluster too.
const BUCKET: &str = "splitbrain";
const REPLICAS_MOST: usize = 3;

struct Nats {
    told: Told,
}

impl Database for Nats {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        Seek {
            name: "NATS",
            packages: "nats-server",
            program: "nats-server",
            flag: "--version",
            // What key-value buckets ask of JetStream.
            least: (2, 7),
            version: |text| {
                text.split_whitespace().last().filter(|_| text.starts_with("nats-server"))
            },
        }
        .find()
    }

    fn ports(&self) -> &'static [u16] {
        &[CLIENT_PORT, CLUSTER_PORT, MONITOR_PORT]
    }

    fn scheme(&self) -> &'static str {
        "nats"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("tls")
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("servers tell each other where others are")
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let member = &cluster[this];
        let routes: Vec<String> =
            cluster.iter().map(|member| format!("nats://{}", member.reached[1])).collect();
        let settings = format!(
            "server_name: {}\nlisten: {}\nhttp: {}\n\
             jetstream {{ store_dir: data, max_mem: 64M, max_file: 256M }}\n\
             cluster {{ name: splitbrain, listen: {}, routes: [{}] }}\n",
            member.name,
            member.listens[0],
            member.listens[2],
            member.listens[1],
            routes.join(", "),
        );
        Daemon {
            program: program.path.clone(),
            args: vec!["-c".to_owned(), "nats.conf".to_owned()],
            env: Vec::new(),
            files: vec![("nats.conf".into(), settings)],
            directory: folder.to_owned(),
            log: folder.join("nats.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match monitored(asker, url, "healthz").await? {
                health if health["status"] == "ok" => {
                    let mut requests = Requests::new(wire::address(url));
                    asker
                        .wait(async { requests.log_in().await.map_err(|error| error.error().text) })
                        .await
                }
                health => Err(format!("its health is {health}")),
            }
        })
    }

    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            for url in urls {
                if leader_known_to(asker, url).await?.is_none() {
                    let mut requests = Requests::new(wire::address(&urls[0]));
                    asker.wait(make_bucket(&mut requests, replicas(urls.len()))).await?;
                    return Err(format!("at {url} the bucket has no leader yet"));
                }
            }
            Ok(())
        })
    }

    /// Whether it leads the bucket's stream, by its own word.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let name = monitored(asker, url, "varz").await?["server_name"].clone();
            let leader = leader_known_to(asker, url).await?;
            Ok(Role { leads: name.is_string() && leader.as_deref() == name.as_str(), term: None })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let direct = self.told.get("read-mode") == "direct";
        let connect = move |node: usize| NatsClient {
            requests: Requests::new(wire::address(&urls[node])),
            prefix: prefix.clone(),
            direct,
            replicas: replicas(urls.len()),
            sure: false,
        };
        Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect)
    }
}

/// How many servers keep the bucket.
fn replicas(nodes: usize) -> usize {
    nodes.min(REPLICAS_MOST)
}

/// What a server tells of itself.
async fn monitored(asker: &Asker, url: &str, what: &str) -> Result<Value, String> {
    let monitor = format!("http://{}:{MONITOR_PORT}", wire::host(url));
    let answer = asker.get(&format!("{monitor}/{what}")).await;
    // By address, since clients are told another.
    Ok(answer.map_err(|why| format!("its monitor at {monitor}: {why}"))?.body)
}

/// Who leads the bucket's stream, as far as a server knows.
async fn leader_known_to(asker: &Asker, url: &str) -> Result<Option<String>, String> {
    let known = monitored(asker, url, "jsz?accounts=true&streams=true").await?;
    let streams = known["account_details"].as_array().into_iter().flatten();
    let mut streams = streams.flat_map(|account| account["stream_detail"].as_array()).flatten();
    let stream = streams.find(|stream| stream["name"] == format!("KV_{BUCKET}"));
    let leader = stream.and_then(|stream| stream["cluster"]["leader"].as_str());
    Ok(leader.filter(|leader| !leader.is_empty()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_monitor_that_is_silent_is_told_by_its_own_address() {
        let asker = Asker::new(Duration::from_secs(5));
        let error = monitored(&asker, "nats://127.77.0.8:4222", "healthz").await.unwrap_err();
        assert!(error.starts_with("its monitor at http://127.77.0.8:8222: "), "{error}");
    }
}
