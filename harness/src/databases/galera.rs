//! Galera: MariaDB servers of which each takes writes. A transaction is replicated as a whole when it
//! commits, and whichever of two that meet comes second in the cluster's order is refused.

use std::path::Path;
use std::time::Duration;

use splitbrain_workloads::{BoxFuture, Clients};

use super::mariadb::{self, Door, Way};
use super::sql::{self, Access, Datum};
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Told};
use crate::environments::look_up;
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "galera",
    about: "MariaDB with Galera from Debian's galera-4: servers of which each takes writes.",
    options: OPTIONS,
    open: |rest| {
        let told = Told::parse(ENTRY.name, OPTIONS, rest)?;
        Ok(Box::new(Galera { told, access: mariadb::access() }))
    },
};

const OPTIONS: &[Opt] = &[
    mariadb::isolation("repeatable-read"),
    mariadb::FLUSH_LOG,
    Opt {
        name: "sync-wait",
        usual: "0",
        words: &["0", "7"],
        about: "wsrep_sync_wait: 7 has each transaction wait for all that was committed before it",
    },
];

const GROUP_PORT: u16 = 4567;
const CATCH_UP_PORT: u16 = 4568;
const COPY_PORT: u16 = 4444;

/// Debian's place for it.
const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";
const PACKAGES: &str = "mariadb-server galera-4 rsync";

/// A node that is not heard for two seconds is suspected and after four it is out. The usual 5 s and
/// 15 s would be longer than most faults last.
const PATIENCE: &str = "gcache.size=32M;evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;\
    evs.inactive_timeout=PT4S;evs.install_timeout=PT4S";

struct Galera {
    told: Told,
    access: Access,
}

impl Galera {
    /// What a node says of itself, which it also does where it serves nobody.
    async fn status(&self, asker: &Asker, url: &str, name: &str) -> Result<String, String> {
        let query = format!("SHOW STATUS LIKE '{name}'");
        let rows = mariadb::ask(asker, url, &self.access, &query).await?;
        match rows.first().and_then(|row| row.get(1)) {
            Some(Datum::Text(text)) => Ok(text.clone()),
            _ => Err(format!("it says nothing of {name}")),
        }
    }
}

impl Database for Galera {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        let missing = |what: String| Missing {
            what: format!("Galera cannot be used: {what}"),
            remedy: Some(format!("apt-get install {PACKAGES}")),
        };
        if !Path::new(PROVIDER).exists() {
            return Err(missing(format!("there is no {PROVIDER}")));
        }
        if look_up(Path::new("rsync")).is_none() {
            return Err(missing("there is no rsync, by which nodes get the data of others".into()));
        }
        mariadb::find(PACKAGES)
    }

    fn ports(&self) -> &'static [u16] {
        &[mariadb::PORT, GROUP_PORT, CATCH_UP_PORT, COPY_PORT]
    }

    fn scheme(&self) -> &'static str {
        "mysql"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some(mariadb::SECRET_SCHEME)
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("nodes listen where the others are told to reach them")
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let own = cluster[this].listens[1];
        let all: Vec<String> = cluster.iter().map(|member| member.reached[1].to_string()).collect();
        let settings = format!(
            "{}binlog_format=ROW\ninnodb_autoinc_lock_mode=2\nwsrep_on=ON\n\
             wsrep_provider={PROVIDER}\nwsrep_cluster_name=splitbrain\n\
             wsrep_cluster_address=gcomm://{}\nwsrep_node_name={}\nwsrep_node_address={}\n\
             wsrep_sst_method=rsync\nwsrep_slave_threads=4\n\
             wsrep_provider_options=\"gmcast.listen_addr=tcp://{own};{PATIENCE}\"\n",
            mariadb::settings(&cluster[this], &self.told, folder),
            all.join(","),
            cluster[this].name,
            own.ip(),
        );
        let place = match this {
            0 => "first".to_owned(),
            _ => cluster[this - 1].reached[0].ip().to_string(),
        };
        mariadb::daemon(&settings, &self.access, Some(place), folder)
    }

    /// A node gets the data of the one before it, which takes some seconds.
    fn ready_within(&self) -> Duration {
        Duration::from_secs(150)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match self.status(asker, url, "wsrep_local_state_comment").await?.as_str() {
                "Synced" => Ok(()),
                other => Err(format!("the node is {other}")),
            }
        })
    }

    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(async move {
            for url in urls {
                let size = self.status(asker, url, "wsrep_cluster_size").await?;
                if size != urls.len().to_string() {
                    return Err(format!("at {url} there are {size} nodes"));
                }
            }
            Ok(())
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let mut settings = mariadb::of_transactions(&self.told);
        settings.push(format!("SET SESSION wsrep_sync_wait = {}", self.told.get("sync-wait")));
        let door = Door { access: self.access.clone(), settings };
        sql::clients(&prefix, move |node| Way::new(&urls[node], &door))
    }
}
