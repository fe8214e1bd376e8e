//! PostgreSQL with Patroni: servers of which one is the primary, as long as it can say so in etcd,
//! which runs on the same nodes. When it can not, it makes itself a standby, and another takes its place.
//!
//! Clients are those of [`postgres`]: a standby says whom it follows.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_workloads::{BoxFuture, Clients};

use super::postgres::{ISOLATION, PORT, Postgres, READ_MODE, REPLICATION};
use super::sql::Datum;
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Seek, Told, etcd};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "patroni",
    about: "PostgreSQL with Patroni and etcd, from Debian: a primary that is replaced when it is lost.",
    options: OPTIONS,
    open: |rest| {
        let told = Told::parse(ENTRY.name, OPTIONS, rest)?;
        Ok(Box::new(Patroni { postgres: Postgres::told(told) }))
    },
};

const OPTIONS: &[Opt] = &[ISOLATION, REPLICATION, READ_MODE];

const REST_PORT: u16 = 8008;
const ETCD_PORT: u16 = 2379;
const ETCD_PEER_PORT: u16 = 2380;

/// Who leads is one for so long after it last said so; less is not allowed.
const TTL_S: u32 = 20;
/// How often it says so, and how long it tries.
const LOOP_WAIT_S: u32 = 2;
const RETRY_S: u32 = 6;

const START: &str = include_str!("patroni/start.sh");

struct Patroni {
    postgres: Postgres,
}

impl Database for Patroni {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.postgres.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        let packages = "patroni python3-etcd etcd-server postgresql";
        let patroni = Seek {
            name: "Patroni",
            packages,
            program: "patroni",
            flag: "--version",
            // It speaks etcd's third protocol.
            least: (2, 0),
            version: |text| text.trim().strip_prefix("patroni "),
        }
        .find()?;
        etcd::find("etcd, for Patroni,", packages)?;
        let postgres = self.postgres.find()?;
        let version = format!("{} with PostgreSQL {}", patroni.version, postgres.version);
        Ok(Program { version, ..postgres })
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT, REST_PORT, ETCD_PORT, ETCD_PEER_PORT]
    }

    fn scheme(&self) -> &'static str {
        self.postgres.scheme()
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        self.postgres.secret_scheme()
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("nodes tell each other and clients where the primary is")
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let programs = program.path.parent().unwrap_or(Path::new(""));
        let patroni = self.settings(programs, cluster, this, folder);
        Daemon {
            program: "bash".into(),
            args: vec!["start.sh".to_owned()],
            env: Vec::new(),
            files: vec![
                ("start.sh".into(), START.to_owned()),
                ("etcd.json".into(), etcd(cluster, this).to_string()),
                ("patroni.json".into(), patroni.to_string()),
            ],
            directory: folder.to_owned(),
            log: folder.join("patroni.log"),
        }
    }

    /// The first makes the data, and the others get theirs from it.
    fn ready_within(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        self.postgres.ready(asker, url)
    }

    /// One leads and all others follow; if commits wait for one of them, it is known for whom.
    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            for url in urls {
                if !self.role(asker, url).await?.leads {
                    continue;
                }
                self.postgres.is_followed(asker, url, urls.len() - 1).await?;
                let waits =
                    "select (current_setting('synchronous_standby_names') <> '')::int::bigint";
                let waits = self.postgres.ask(asker, url, waits).await?;
                let have_to = self.postgres.told.get("replication") == "sync";
                return match waits.first() {
                    Some(Datum::Int(0)) if have_to => {
                        Err("commits do not wait for anybody yet".to_owned())
                    }
                    _ => Ok(()),
                };
            }
            Err("nobody leads yet".to_owned())
        })
    }

    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        self.postgres.role(asker, url)
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        self.postgres.clients(urls, prefix)
    }
}

impl Patroni {
    /// What Patroni is told; the part below `bootstrap` by who is first, for all.
    fn settings(&self, programs: &Path, cluster: &[Member], this: usize, folder: &Path) -> Value {
        let member = &cluster[this];
        let user = json!({ "username": self.postgres.access.user });
        let stores: Vec<String> = cluster.iter().map(|peer| peer.reached[2].to_string()).collect();
        json!({
            "scope": "splitbrain",
            "name": member.name,
            "restapi": {
                "listen": member.listens[1].to_string(),
                "connect_address": member.reached[1].to_string(),
            },
            "etcd3": { "hosts": stores },
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S, "loop_wait": LOOP_WAIT_S, "retry_timeout": RETRY_S,
                    "maximum_lag_on_failover": 1 << 20,
                    "synchronous_mode": self.postgres.told.get("replication") == "sync",
                    "postgresql": {
                        "use_pg_rewind": true,
                        "parameters": {
                            "shared_buffers": "32MB", "dynamic_shared_memory_type": "sysv",
                            "max_connections": 200, "wal_log_hints": "on", "wal_keep_size": "256MB",
                            "wal_sender_timeout": "2s", "wal_receiver_timeout": "2s", "jit": "off",
                        },
                    },
                },
                "initdb": [{ "encoding": "UTF8" }, { "locale": "C" }, { "auth": "trust" }],
                // Everybody is let in: nobody but the run is there.
                "pg_hba": ["host all all all trust", "host replication all all trust"],
            },
            "postgresql": {
                "listen": member.listens[0].to_string(),
                "connect_address": member.reached[0].to_string(),
                "data_dir": folder.join("data/postgres"),
                "bin_dir": programs,
                "pgpass": folder.join("pgpass"),
                "authentication": { "superuser": user, "replication": user, "rewind": user },
                "parameters": { "unix_socket_directories": "" },
            },
        })
    }
}

fn etcd(cluster: &[Member], this: usize) -> Value {
    let member = &cluster[this];
    let peers: Vec<String> =
        cluster.iter().map(|peer| format!("{}=http://{}", peer.name, peer.reached[3])).collect();
    let at = |address: std::net::SocketAddr| format!("http://{address}");
    json!({
        "name": member.name,
        "data-dir": "data/etcd",
        "listen-client-urls": at(member.listens[2]),
        "advertise-client-urls": at(member.reached[2]),
        "listen-peer-urls": at(member.listens[3]),
        "initial-advertise-peer-urls": at(member.reached[3]),
        "initial-cluster": peers.join(","),
        "initial-cluster-state": "new",
        // Patroni speaks to it; with a file of settings it is not the usual any more.
        "enable-grpc-gateway": true,
        "logger": "zap",
        "log-outputs": ["stderr"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_where_all_others_keep_the_lock_and_whether_commits_wait() {
        let member = |number: u8| {
            let at = |port| ([10, 77, 0, number], port).into();
            let all = vec![at(PORT), at(REST_PORT), at(ETCD_PORT), at(ETCD_PEER_PORT)];
            Member { name: format!("n{number}"), reached: all.clone(), listens: all }
        };
        let cluster = [member(1), member(2)];
        let settings = |told: &str| {
            let told = Told::parse(ENTRY.name, OPTIONS, told).unwrap();
            let patroni = Patroni { postgres: Postgres::told(told) };
            patroni.settings(Path::new("/usr/bin"), &cluster, 1, Path::new("/run/n2"))
        };
        let usual = settings("");
        assert_eq!(usual["etcd3"]["hosts"], json!(["10.77.0.1:2379", "10.77.0.2:2379"]));
        assert_eq!(usual["postgresql"]["connect_address"], "10.77.0.2:5432");
        assert_eq!(usual["bootstrap"]["dcs"]["synchronous_mode"], false);
        let waits = settings("@replication=sync");
        assert_eq!(waits["bootstrap"]["dcs"]["synchronous_mode"], true);
        let peers = "n1=http://10.77.0.1:2380,n2=http://10.77.0.2:2380";
        assert_eq!(etcd(&cluster, 0)["initial-cluster"], peers);
        assert!(Told::parse(ENTRY.name, OPTIONS, "@promote=2").is_err());
    }
}
