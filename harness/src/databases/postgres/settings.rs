//! How a node of PostgreSQL is set up.

use std::path::Path;

use super::access::Access;
use crate::databases::{Program, Told};
use crate::environments::{Daemon, Member};

const START: &str = include_str!("start.sh");

/// Everybody is let in: nobody but the run is there.
const LET_IN: &str = "host all all all trust\nhost replication all all trust\n";

/// Standbys are missed, and look for a primary again, well within a cut of some seconds; usually that
/// is after a minute. Nothing is left of memory that processes share when they are killed.
const SETTINGS: &str = "unix_socket_directories = ''
shared_buffers = 32MB
dynamic_shared_memory_type = sysv
max_connections = 200
wal_level = replica
max_wal_senders = 10
wal_keep_size = 256MB
wal_sender_timeout = 2s
wal_receiver_timeout = 2s
wal_receiver_status_interval = 500ms
wal_retrieve_retry_interval = 500ms
hot_standby = on
jit = off
";

/// How one node is started.
pub fn daemon(
    program: &Program,
    told: &Told,
    access: &Access,
    (cluster, this): (&[Member], usize),
    folder: &Path,
) -> Daemon {
    let at = cluster[this].listens[0];
    let promote: u32 = told.get("promote").parse().unwrap_or_default();
    let primary = cluster[0].reached[0];
    let log_in = format!("user={} connect_timeout=2", access.user);
    // With somebody who takes the primary's place, the others follow whoever accepts writes.
    let followed = match cluster.get(1).filter(|_| promote > 0 && this > 1) {
        None => format!("host={} port={}", primary.ip(), primary.port()),
        Some(second) => format!(
            "host={},{} port={},{} target_session_attrs=read-write",
            primary.ip(),
            second.reached[0].ip(),
            primary.port(),
            second.reached[0].port()
        ),
    };
    let mut settings = format!("listen_addresses = '{}'\nport = {}\n", at.ip(), at.port());
    settings += SETTINGS;
    settings += &format!("cluster_name = '{}'\n", cluster[this].name);
    if this > 0 {
        settings += &format!(
            "primary_conninfo = '{followed} {log_in} application_name={}'\n",
            cluster[this].name
        );
    }
    // The one that takes the primary's place has everything that was acknowledged, and when it has
    // done so, it waits for the next.
    let next = cluster.get(this + 1).filter(|_| told.get("replication") == "sync" && this < 2);
    if let Some(next) = next {
        settings += &format!("synchronous_standby_names = '{}'\n", next.name);
    }
    let node = format!(
        "node={} promote={promote} user='{}' database='{}'\n\
         primary='host={} port={} dbname=postgres {log_in}'\n",
        this + 1,
        access.user,
        access.database,
        primary.ip(),
        primary.port(),
    );
    let programs = program.path.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    Daemon {
        program: "bash".into(),
        args: vec!["start.sh".to_owned(), programs],
        env: Vec::new(),
        files: vec![
            ("start.sh".into(), START.to_owned()),
            ("node.sh".into(), node),
            ("postgresql.conf".into(), settings),
            ("pg_hba.conf".into(), LET_IN.to_owned()),
        ],
        directory: folder.to_owned(),
        log: folder.join("postgres.log"),
    }
}
