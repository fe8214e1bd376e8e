//! PostgreSQL: a primary and standbys that follow it by streaming replication.
//!
//! A client asks its own node before each transaction: a primary carries it out itself, a standby says
//! whom it follows. So a client on the side of an old primary goes on with that, and one whose node
//! follows nobody is refused, as programs on the same hosts would be.

mod access;
mod settings;

use std::path::{Path, PathBuf};

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::{BoxFuture, Clients, OpError};

use super::sql::{self, Access, Connection as _, Datum, Dialect, Servers};
use super::{Administered, Asker, Database, Entry, Missing, Opt, Program, Role, Seek, Told, wire};
use crate::environments::{Daemon, Member};
use access::PgConnection;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "postgres",
    about: "PostgreSQL from Debian: a primary, and standbys that follow it by streaming replication.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(Postgres::told(Told::parse(ENTRY.name, OPTIONS, rest)?))),
};

const OPTIONS: &[Opt] = &[ISOLATION, REPLICATION, READ_MODE, PROMOTE, REJOIN];

/// How transactions are kept apart.
pub(super) const ISOLATION: Opt = Opt {
    name: "isolation",
    usual: "serializable",
    words: &["read-committed", "repeatable-read", "serializable"],
    about: "the level of every transaction",
};

/// Whether a commit waits for others.
pub(super) const REPLICATION: Opt = Opt {
    name: "replication",
    usual: "async",
    words: &["async", "sync"],
    about: "whether a commit waits for the standby that would be promoted; as in PostgreSQL, not",
};

/// Whom reads ask.
pub(super) const READ_MODE: Opt = Opt {
    name: "read-mode",
    usual: "primary",
    words: &["primary", "local"],
    about: "what only reads asks the primary, or the client's own node whatever that is",
};

const PROMOTE: Opt = Opt {
    name: "promote",
    usual: "0",
    words: &[],
    about: "seconds without an answer of the primary after which node 2 takes its place; 0: never",
};

const REJOIN: Opt = Opt {
    name: "rejoin",
    usual: "no",
    words: &["no", "yes"],
    about: "whether nodes that do not follow it are made standbys of node 2 when that was promoted",
};

/// Where servers listen.
pub(super) const PORT: u16 = 5432;

/// Where Debian keeps its versions.
const VERSIONS: &str = "/usr/lib/postgresql";

const DIALECT: Dialect = Dialect {
    quote: '"',
    numbered: true,
    or_set: "on conflict (k) do update set",
    new: "excluded.v",
    or_leave: "on conflict do nothing",
};

/// Servers of PostgreSQL, whoever decides which of them is the primary.
pub(super) struct Postgres {
    /// What they are told.
    pub told: Told,
    /// Who clients are.
    pub access: Access,
}

impl Postgres {
    /// As they are told.
    pub fn told(told: Told) -> Postgres {
        Postgres { told, access: Access::of_environment("postgres") }
    }

    /// Whether so many standbys follow a primary.
    ///
    /// # Errors
    /// In words how many do.
    pub async fn is_followed(&self, asker: &Asker, url: &str, by: usize) -> Result<(), String> {
        let following = "select count(*) from pg_stat_replication where state = 'streaming'";
        match self.ask(asker, url, following).await?.first() {
            Some(Datum::Int(count)) if *count == by as i64 => Ok(()),
            other => Err(format!("of {by} standbys there follow {other:?}")),
        }
    }

    /// The first row that a node answers with.
    ///
    /// # Errors
    /// In words why there is none.
    pub async fn ask(&self, asker: &Asker, url: &str, query: &str) -> Result<sql::Row, String> {
        let asking = async {
            let connected = self.access.connect(wire::address(url)).await;
            let mut connection = connected.map_err(|error| error.error().text)?;
            let rows = connection.query(query, &[]).await.map_err(|problem| problem.text)?;
            rows.into_iter().next().ok_or_else(|| "no row came".to_owned())
        };
        asker.wait(asking).await
    }
}

impl Database for Postgres {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    /// The newest of Debian's versions, or what is in the path.
    fn find(&self) -> Result<Program, Missing> {
        let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let newest = versions
            .map(|version| version.path().join("bin/postgres"))
            .filter(|program| program.exists())
            .max_by_key(|program| number_of(program));
        let program = newest.unwrap_or_else(|| "postgres".into());
        let program = program.to_string_lossy();
        Seek {
            name: "PostgreSQL",
            packages: "postgresql",
            program: &program,
            flag: "--version",
            // `wal_keep_size`.
            least: (13, 0),
            version: |text| text.trim().strip_prefix("postgres (PostgreSQL) "),
        }
        .find()
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT]
    }

    fn scheme(&self) -> &'static str {
        "postgres"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("postgres+tls")
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("a standby tells clients where the primary is that it follows")
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        settings::daemon(program, &self.told, &self.access, (cluster, this), folder)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.ask(asker, url, "select 1::bigint").await.map(drop) })
    }

    /// All standbys must follow.
    fn assemble<'a>(&'a self, asker: &'a Asker, urls: &'a [String]) -> Administered<'a> {
        Box::pin(self.is_followed(asker, &urls[0], urls.len() - 1))
    }

    /// The term is the timeline.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        let query = "select case when pg_is_in_recovery() then null else \
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint end";
        Box::pin(async move {
            let term = match self.ask(asker, url, query).await?.first() {
                Some(Datum::Int(timeline)) => u64::try_from(*timeline).ok(),
                _ => None,
            };
            Ok(Role { leads: term.is_some(), term })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let access = self.access.clone();
        let local_reads = self.told.get("read-mode") == "local";
        let begin = match self.told.get("isolation") {
            "read-committed" => "begin isolation level read committed",
            "repeatable-read" => "begin isolation level repeatable read",
            _ => "begin isolation level serializable",
        };
        sql::clients(&prefix, move |node| Way {
            access: access.clone(),
            own: wire::address(&urls[node]).to_owned(),
            idle: Vec::new(),
            begin,
            local_reads,
        })
    }
}

/// The number of a version's folder.
fn number_of(program: &Path) -> u32 {
    let version: PathBuf = program.components().rev().skip(2).take(1).collect();
    version.to_string_lossy().parse().unwrap_or_default()
}

/// From a node to whoever carries out a transaction.
struct Way {
    access: Access,
    /// `HOST:PORT` of the client's own node.
    own: String,
    /// At most one connection to each address.
    idle: Vec<PgConnection>,
    /// How transactions begin.
    begin: &'static str,
    local_reads: bool,
}

/// Whether it is a primary, otherwise whom it follows.
const WHOM: &str = "select case when pg_is_in_recovery() then sender_host || ':' || sender_port \
    else 'own' end from (values (1)) one left join pg_stat_wal_receiver on status = 'streaming'";

impl Way {
    async fn to(&mut self, address: &str) -> Result<PgConnection, OpError> {
        self.idle.retain(PgConnection::is_open);
        match self.idle.iter().position(|idle| idle.address == address) {
            Some(at) => Ok(self.idle.swap_remove(at)),
            None => self.access.connect(address).await,
        }
    }
}

impl Servers for Way {
    type Connection = PgConnection;

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn take(&mut self, reads_only: bool) -> BoxFuture<'_, Result<PgConnection, OpError>> {
        Box::pin(async move {
            let own = self.own.clone();
            let mut connection = self.to(&own).await?;
            connection.begin = self.begin;
            if reads_only && self.local_reads {
                // A standby has nothing that is stricter.
                if self.begin.ends_with("serializable") {
                    connection.begin = "begin isolation level repeatable read";
                }
                return Ok(connection);
            }
            let whom = connection.query(WHOM, &[]).await;
            match whom.map_err(sql::Problem::before_commit)?.into_iter().flatten().next() {
                Some(Datum::Text(whom)) if whom == "own" => Ok(connection),
                Some(Datum::Text(address)) => {
                    self.idle.push(connection);
                    let mut connection = self.to(&address).await?;
                    connection.begin = self.begin;
                    Ok(connection)
                }
                _ => {
                    self.idle.push(connection);
                    Err(OpError::fail(
                        ErrorKind::Refused,
                        "the node is a standby and follows nobody",
                    ))
                }
            }
        })
    }

    fn give_back(&mut self, connection: PgConnection) {
        self.idle.push(connection);
    }
}
