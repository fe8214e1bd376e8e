//! ZooKeeper: writes go through the leader, and a server answers reads from what it has. A session
//! sees what it saw before; with `sync` before a read it sees what was written before that.

mod client;
mod wire;

use std::path::Path;
use std::time::Duration;

use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::{BoxFuture, Clients};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{Wire, address};
use super::{Asker, Database, Entry, Missing, Opt, Program, Role, Told, installed, new_enough};
use crate::environments::{Daemon, Member};
use client::ZooKeeperClient;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "zookeeper",
    about: "ZooKeeper from Debian: writes by a leader, reads of whatever the asked server has.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(ZooKeeper { told: Told::parse(ENTRY.name, OPTIONS, rest)? })),
};

const OPTIONS: &[Opt] = &[Opt {
    name: "read-mode",
    usual: "plain",
    words: &["plain", "sync"],
    about: "reads are of what the server has, or it catches up with the leader first",
}];

const JAR: &str = "/usr/share/java/zookeeper.jar";
const CLIENT_PORT: u16 = 2181;
const PEER_PORT: u16 = 2888;
const ELECTION_PORT: u16 = 3888;

/// A quarter of the usual tick, so that a fail-over takes less than a cut of some seconds lasts.
const SETTINGS: &str = "tickTime=500\ninitLimit=10\nsyncLimit=4\ndataDir=data\n\
    4lw.commands.whitelist=srvr\nadmin.enableServer=false\nmaxClientCnxns=0\n";

/// A server finds its number in its data. Debian's folder of settings is there for the log only.
const START: &str = "mkdir -p data && echo \"$1\" > data/myid && exec java -Xmx128m -XX:+UseSerialGC \
    -XX:TieredStopAtLevel=1 -Dzookeeper.log.dir=. -Dzookeeper.root.logger=WARN,CONSOLE \
    -cp /etc/zookeeper/conf:/usr/share/java/zookeeper.jar \
    org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg\n";

struct ZooKeeper {
    told: Told,
}

impl Database for ZooKeeper {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    /// The version is in the name of a link to the file, beside it.
    fn find(&self) -> Result<Program, Missing> {
        let missing = |what: String| Missing {
            what: format!("ZooKeeper cannot be used: {what}"),
            remedy: Some("apt-get install zookeeper".to_owned()),
        };
        installed::ask("ZooKeeper", "zookeeper", "java", "-version")?;
        if !Path::new(JAR).exists() {
            return Err(missing(format!("there is no {JAR}")));
        }
        let beside = Path::new(JAR).parent().and_then(|folder| folder.read_dir().ok());
        let names = beside.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let version = names.filter_map(|name| {
            let version = name.to_str()?.strip_prefix("zookeeper-")?.strip_suffix(".jar")?;
            version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
        });
        let version = version.max().unwrap_or_else(|| "unknown".to_owned());
        new_enough("ZooKeeper", &version, (3, 5), Path::new(JAR))?;
        Ok(Program { path: "java".into(), version })
    }

    fn ports(&self) -> &'static [u16] {
        &[CLIENT_PORT, PEER_PORT, ELECTION_PORT]
    }

    fn scheme(&self) -> &'static str {
        "zookeeper"
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("servers listen where the others are told to reach them")
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let at = cluster[this].listens[0];
        let mut settings = format!("{SETTINGS}clientPort={}\n", at.port());
        settings += &format!("clientPortAddress={}\n", at.ip());
        for (member, number) in cluster.iter().zip(1..) {
            let (peer, election) = (member.reached[1], member.reached[2].port());
            settings += &format!("server.{number}={peer}:{election}\n");
        }
        Daemon {
            program: "sh".into(),
            args: vec!["start.sh".to_owned(), (this + 1).to_string()],
            env: Vec::new(),
            files: vec![("start.sh".into(), START.to_owned()), ("zoo.cfg".into(), settings)],
            directory: folder.to_owned(),
            log: folder.join("zookeeper.log"),
        }
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(90)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { told_of_itself(asker, url).await.map(drop) })
    }

    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let told = told_of_itself(asker, url).await?;
            let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name));
            // The upper half of the last transaction's number is the leader's epoch.
            let zxid = field("Zxid: 0x").and_then(|zxid| u64::from_str_radix(zxid, 16).ok());
            Ok(Role { leads: field("Mode: ") == Some("leader"), term: zxid.map(|zxid| zxid >> 32) })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let syncs = self.told.get("read-mode") == "sync";
        let connect = move |node: usize| ZooKeeperClient {
            wire: Wire::new(address(&urls[node])),
            prefix: prefix.clone(),
            syncs,
        };
        Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect)
    }
}

/// What a server tells of itself (`srvr`), if it serves.
async fn told_of_itself(asker: &Asker, url: &str) -> Result<String, String> {
    let asking = async {
        let mut stream = TcpStream::connect(address(url)).await?;
        stream.write_all(b"srvr").await?;
        let mut told = String::new();
        stream.read_to_string(&mut told).await.map(|_| told)
    };
    let told = asker.wait(asking).await?;
    if told.contains("Mode: ") { Ok(told) } else { Err(told.trim().to_owned()) }
}
