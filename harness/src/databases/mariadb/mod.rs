//! MariaDB: one server. What is made of several of them begins with the same settings and has the same
//! clients.

mod client;

use std::path::Path;
use std::time::Duration;

use splitbrain_workloads::{BoxFuture, Clients};

use super::sql::{self, Access, Connection as _};
use super::{Asker, Database, Entry, Missing, Opt, Program, Seek, Told};
use crate::environments::{Daemon, Member, look_up};
pub use client::{Door, Way};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "mariadb",
    about: "MariaDB from Debian's mariadb-server: one server with InnoDB.",
    options: OPTIONS,
    open: |rest| {
        let told = Told::parse(ENTRY.name, OPTIONS, rest)?;
        Ok(Box::new(MariaDb { told, access: access() }))
    },
};

const OPTIONS: &[Opt] = &[isolation("serializable"), FLUSH_LOG];

/// The level of every transaction.
pub const fn isolation(usual: &'static str) -> Opt {
    Opt {
        name: "isolation",
        usual,
        words: &["read-committed", "repeatable-read", "snapshot", "serializable"],
        about: "the level of every transaction; snapshot is repeatable-read with innodb_snapshot_isolation",
    }
}

/// When commits are brought to the disk.
pub const FLUSH_LOG: Opt = Opt {
    name: "flush-log",
    usual: "1",
    words: &["0", "1", "2"],
    about: "innodb_flush_log_at_trx_commit: 1 brings every commit to the disk, 0 writes once a second",
};

/// The port of the data.
pub const PORT: u16 = 3306;
/// What the URL of a node begins with that is spoken to by TLS.
pub const SECRET_SCHEME: &str = "mysql+tls";

struct MariaDb {
    told: Told,
    access: Access,
}

/// Who clients are if nothing else is said.
pub fn access() -> Access {
    Access::of_environment("splitbrain")
}

impl Database for MariaDb {
    fn target(&self) -> String {
        format!("{}{}", ENTRY.name, self.told)
    }

    fn default_nodes(&self) -> usize {
        1
    }

    fn alone(&self) -> Option<&'static str> {
        Some("servers of it know nothing of each other; MariaDB's cluster is --db galera")
    }

    fn find(&self) -> Result<Program, Missing> {
        find("mariadb-server")
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT]
    }

    fn scheme(&self) -> &'static str {
        "mysql"
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some(SECRET_SCHEME)
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        daemon(&settings(&cluster[this], &self.told, folder), &self.access, None, folder)
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { ask(asker, url, &self.access, "SELECT 1").await.map(drop) })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let settings = of_transactions(&self.told);
        let door = Door { access: self.access.clone(), settings };
        sql::clients(&prefix, move |node| Way::new(&urls[node], &door))
    }
}

/// Finds the server, which is in these packages.
pub fn find(packages: &str) -> Result<Program, Missing> {
    // It is where an ordinary user's `PATH` may not lead.
    let path = look_up(Path::new("mariadbd")).unwrap_or_else(|| "mariadbd".into());
    Seek {
        name: "MariaDB",
        packages,
        program: &path.to_string_lossy(),
        flag: "--version",
        least: (10, 4),
        version: |text| {
            let version = text.split_whitespace().skip_while(|word| *word != "Ver").nth(1)?;
            version.split("-MariaDB").next()
        },
    }
    .find()
}

/// The settings of a server.
pub fn settings(member: &Member, told: &Told, folder: &Path) -> String {
    let at = member.listens[0];
    let folder = folder.display();
    format!(
        "[mysqld]\ndatadir={folder}/data\ntmpdir={folder}\nsocket=\npid-file=mariadbd.pid\n\
         bind-address={}\nport={}\nskip-name-resolve\nmax_connections=500\nperformance_schema=OFF\n\
         character-set-server=utf8mb4\ncollation-server=utf8mb4_bin\n\
         innodb_buffer_pool_size=64M\ninnodb_log_file_size=16M\ninnodb_flush_method=fsync\n\
         innodb_use_native_aio=0\ninnodb_flush_log_at_trx_commit={}\n",
        at.ip(),
        at.port(),
        told.get("flush-log"),
    )
}

/// How a node is started with these settings; in a Galera cluster, as `place` says (see `start.sh`).
pub fn daemon(settings: &str, access: &Access, place: Option<String>, folder: &Path) -> Daemon {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "''");
    let user = format!("'{}'@'%'", quoted(&access.user));
    let password = quoted(access.password.as_deref().unwrap_or_default());
    // While the data is made nobody has rights, until this is said.
    let setup = format!(
        "FLUSH PRIVILEGES;\nCREATE DATABASE `{}`;\nCREATE USER {user} IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO {user};\n",
        access.database.replace('`', "``"),
    );
    Daemon {
        program: "bash".into(),
        args: ["start.sh".to_owned()].into_iter().chain(place).collect(),
        env: Vec::new(),
        files: vec![
            ("start.sh".into(), include_str!("start.sh").to_owned()),
            ("setup.sql".into(), setup),
            ("my.cnf".into(), settings.to_owned()),
        ],
        directory: folder.to_owned(),
        log: folder.join("mariadb.log"),
    }
}

/// What a connection for transactions is told first.
pub fn of_transactions(told: &Told) -> Vec<String> {
    let level = match told.get("isolation") {
        "snapshot" => "repeatable-read",
        level => level,
    };
    let level = level.replace('-', " ");
    // To wait for locks longer than clients wait for answers says less, and does not help them.
    let mut settings = vec![
        format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"),
        "SET SESSION innodb_lock_wait_timeout = 3".to_owned(),
    ];
    if told.get("isolation") == "snapshot" {
        settings.push("SET SESSION innodb_snapshot_isolation = ON".to_owned());
    }
    settings
}

/// Asks for rows over a connection of its own, for the control plane.
pub async fn ask(
    asker: &Asker,
    url: &str,
    access: &Access,
    query: &str,
) -> Result<Vec<sql::Row>, String> {
    let door = Door { access: access.clone(), settings: Vec::new() };
    let asking = async {
        let mut connection = client::connect(url, &door).await.map_err(|problem| problem.text)?;
        connection.query(query, &[]).await.map_err(|problem| problem.text)
    };
    asker.wait(asking).await
}
