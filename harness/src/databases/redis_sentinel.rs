//! Redis with Sentinel: one primary, replicas that follow it asynchronously, and on each node a
//! sentinel; a majority of those puts a replica in the primary's place.
//!
//! A client asks the sentinel of its own node where the primary is, before each operation, and
//! sends it there. So a client on the side of an old primary goes on with that, as a program on
//! the same host would.

use std::net::SocketAddr;
use std::path::Path;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::{BoxFuture, Clients, OpError};

use super::redis::resp::{self, Reply};
use super::redis::{self, RedisClient, Route};
use super::wire::{self, Wire};
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Told};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "redis-sentinel",
    about: "Redis from Debian's redis-server: a primary, replicas, and sentinels that replace it.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(RedisSentinel { told: Told::parse(ENTRY.name, OPTIONS, rest)? })),
};

const OPTIONS: &[Opt] = &[redis::READ_MODE, redis::MIN_REPLICAS, redis::WAIT, redis::APPENDFSYNC];

const SENTINEL_PORT: u16 = 26379;
/// What the sentinels call the primary.
const NAME: &str = "splitbrain";
/// After so long without an answer a sentinel takes the primary for down. The usual 30 s would be
/// longer than most faults last.
const DOWN_AFTER_MS: u32 = 1_000;
const FAILOVER_TIMEOUT_MS: u32 = 6_000;

/// A node is a server and a sentinel, and has ended when one of them has. Redis does not fsync the
/// folder in which it makes one for its log, which until then no loss of power leaves there.
const START: &str = "mkdir -p data/appendonlydir && sync data data/appendonlydir
redis-server sentinel.conf --sentinel >> sentinel.txt 2>&1 &
redis-server redis.conf &
wait -n
";

struct RedisSentinel {
    told: Told,
}

impl Database for RedisSentinel {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        // `min-replicas-to-write` is called so.
        redis::find((5, 0))
    }

    fn ports(&self) -> &'static [u16] {
        &[redis::PORT, SENTINEL_PORT]
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
        Some("replicas and sentinels tell each other where they are")
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let primary = cluster[0].reached[0];
        let sentinel = sentinel_settings(&cluster[this], primary, cluster.len() / 2 + 1);
        let mut server = redis::settings(&cluster[this], &self.told);
        if this != 0 {
            server += &format!("replicaof {} {}\n", primary.ip(), primary.port());
        }
        Daemon {
            program: "bash".into(),
            args: vec!["start.sh".to_owned()],
            env: Vec::new(),
            files: vec![
                ("start.sh".into(), START.to_owned()),
                ("redis.conf".into(), server),
                ("sentinel.conf".into(), sentinel),
            ],
            directory: folder.to_owned(),
            log: folder.join("redis.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            // By address, since the sentinel has another than the URL that is told to be silent.
            for address in [wire::address(url), &sentinel_of(url)] {
                let named = |why: String| format!("{address}: {why}");
                let pong = redis::ask_once(asker, address, &["PING"]).await.map_err(named)?;
                if pong.text() != Some("PONG") {
                    return Err(format!("{address} answered {pong:?} to PING"));
                }
            }
            Ok(())
        })
    }

    /// Every sentinel must have heard of all others and of all replicas, or it could not replace
    /// the primary.
    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            let others = (urls.len() - 1).to_string();
            for url in urls {
                let known = primary_known_to(asker, url).await?;
                for field in ["num-other-sentinels", "num-slaves"] {
                    let found = known.field(field).unwrap_or_default();
                    if found != others {
                        return Err(format!("{field} is {found:?} at {url}, not {others}"));
                    }
                }
            }
            let role = redis::ask_once(asker, wire::address(&urls[0]), &["ROLE"]).await?;
            match role.items() {
                [_, _, Reply::Array(following)] if following.len() == urls.len() - 1 => Ok(()),
                _ => Err(format!("not all replicas follow: {role:?}")),
            }
        })
    }

    /// By its own server; the epoch by its own sentinel, which an old primary's does not hear of.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let role = redis::ask_once(asker, wire::address(url), &["ROLE"]).await?;
            let leads = role.items().first().and_then(Reply::text) == Some("master");
            let known = primary_known_to(asker, url).await?;
            let term = known.field("config-epoch").and_then(|epoch| epoch.parse().ok());
            Ok(Role { leads, term })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let local_reads = self.told.get("read-mode") == "local";
        let wait = self.told.get("wait").parse().unwrap_or_default();
        let connect = move |node: usize| RedisClient {
            route: BySentinel {
                own: Wire::new(wire::address(&urls[node])),
                sentinel: Wire::new(sentinel_of(&urls[node])),
                primary: None,
                local_reads,
            },
            prefix: prefix.clone(),
            wait,
        };
        Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect.clone())
            .serve::<ListAppend, _>(connect)
    }
}

fn sentinel_settings(member: &Member, primary: SocketAddr, quorum: usize) -> String {
    let at = member.listens[1];
    let (ip, port) = (primary.ip(), primary.port());
    format!(
        "bind {own}\nport {own_port}\nprotected-mode no\nsentinel announce-ip {own}\n\
         sentinel monitor {NAME} {ip} {port} {quorum}\n\
         sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n\
         sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT_MS}\n\
         sentinel parallel-syncs {NAME} 1\n",
        own = at.ip(),
        own_port = at.port(),
    )
}

fn sentinel_of(url: &str) -> String {
    format!("{}:{SENTINEL_PORT}", wire::host(url))
}

/// What the sentinel of a node knows of the primary.
async fn primary_known_to(asker: &Asker, url: &str) -> Result<Reply, String> {
    redis::ask_once(asker, &sentinel_of(url), &["SENTINEL", "MASTER", NAME]).await
}

/// A client that has a sentinel name the primary.
struct BySentinel {
    own: Wire,
    sentinel: Wire,
    primary: Option<Wire>,
    local_reads: bool,
}

impl BySentinel {
    /// The way to the primary. Nothing that can go wrong here has changed anything.
    async fn primary(&mut self) -> Result<&mut Wire, OpError> {
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME];
        let (mut stream, _) = self.sentinel.take().await?;
        let said = resp::ask(&mut stream, &[&question]).await;
        let said = said.map_err(|error| OpError::fail(ErrorKind::Connection, error.to_string()))?;
        self.sentinel.give_back(stream);
        let address = match said.first().map(Reply::items) {
            Some([Reply::Text(host), Reply::Text(port)]) => format!("{host}:{port}"),
            _ => return Err(OpError::fail(ErrorKind::Refused, "the sentinel knows no primary")),
        };
        let known = self.primary.take().filter(|wire| wire.address() == address);
        Ok(self.primary.insert(known.unwrap_or_else(|| Wire::new(address))))
    }
}

impl Route for BySentinel {
    fn ask<'a>(
        &'a mut self,
        writes: bool,
        commands: &'a [&'a [String]],
    ) -> BoxFuture<'a, Result<Vec<Reply>, OpError>> {
        Box::pin(async move {
            let is_local = self.local_reads && !writes;
            let wire = if is_local { &mut self.own } else { self.primary().await? };
            redis::exchange(wire, commands).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Answers on one port of a loopback address that nobody else uses; nothing does at the sentinel's.
    #[tokio::test]
    async fn a_sentinel_that_is_silent_is_told_by_its_own_address() {
        let server = tokio::net::TcpListener::bind("127.77.0.8:0").await.unwrap();
        let url = format!("redis://{}", server.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = server.accept().await {
                let mut stream = wire::stream(stream);
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"+PONG\r\n").await;
                let _ = tokio::io::AsyncBufReadExt::fill_buf(&mut stream).await;
            }
        });
        let database = (ENTRY.open)("").unwrap();
        let error = database.ready(&Asker::new(Duration::from_secs(5)), &url).await.unwrap_err();
        assert!(error.starts_with("127.77.0.8:26379: "), "{error}");
    }
}
