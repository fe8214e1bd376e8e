//! How a node of PostgreSQL is set up.

use std::path::Path;

use crate::databases::sql::Access;
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
wal_log_hints = on
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
    let programs = program.path.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    Daemon {
        program: "bash".into(),
        args: vec!["start.sh".to_owned(), programs],
        env: Vec::new(),
        files: vec![
            ("start.sh".into(), START.to_owned()),
            ("node.sh".into(), node(told, access, cluster, this)),
            ("postgresql.conf".into(), settings(told, access, cluster, this)),
            ("pg_hba.conf".into(), LET_IN.to_owned()),
        ],
        directory: folder.to_owned(),
        log: folder.join("postgres.log"),
    }
}

/// How a node gets to one of these, as libpq is told: the first that it can use. A server that looks for
/// its primary heeds no `connect_timeout`, so that the kernel is told as well.
fn way(access: &Access, to: &[&Member]) -> String {
    let list = |part: fn(&Member) -> String| {
        to.iter().map(|member| part(member)).collect::<Vec<_>>().join(",")
    };
    format!(
        "host={} port={} user={} connect_timeout=2 tcp_user_timeout=2000",
        list(|member| member.reached[0].ip().to_string()),
        list(|member| member.reached[0].port().to_string()),
        access.user
    )
}

/// What the script is told.
fn node(told: &Told, access: &Access, cluster: &[Member], this: usize) -> String {
    let (own, first) = (way(access, &[&cluster[this]]), way(access, &[&cluster[0]]));
    let second = cluster.get(1).map_or(String::new(), |second| way(access, &[second]));
    format!(
        "node={} promote={} rejoins={} user='{}' database='{}'\n\
         own='{own} dbname=postgres'\nprimary='{first} dbname=postgres'\n\
         second='{second} dbname=postgres'\n",
        this + 1,
        if cluster.len() > 1 { told.get("promote") } else { "0" },
        if cluster.len() > 1 { told.get("rejoin") } else { "no" },
        access.user,
        access.database,
    )
}

/// What the server is told.
fn settings(told: &Told, access: &Access, cluster: &[Member], this: usize) -> String {
    let (at, name) = (cluster[this].listens[0], &cluster[this].name);
    let mut settings = format!("listen_addresses = '{}'\nport = {}\n", at.ip(), at.port());
    settings += SETTINGS;
    settings += &format!("cluster_name = '{name}'\n");
    // With somebody who takes the primary's place, the others follow whoever accepts writes, and of
    // two the newer one.
    let newer = cluster.get(1).filter(|_| this != 1 && told.get("promote") != "0");
    let first = cluster.first().filter(|_| this > 0);
    let followed: Vec<&Member> = newer.into_iter().chain(first).collect();
    if !followed.is_empty() {
        let way = way(access, &followed);
        settings += &format!(
            "primary_conninfo = '{way} target_session_attrs=read-write application_name={name}'\n"
        );
    }
    // Who takes the primary's place has everything that was acknowledged. When it has done so, any
    // other will do.
    let names: Vec<&str> = cluster.iter().map(|member| member.name.as_str()).collect();
    let waited_for = match (told.get("replication"), this, &names[..]) {
        ("sync", 0, [_, second, ..]) => (*second).to_owned(),
        ("sync", 1, [first, _, others @ ..]) => {
            format!("ANY 1 ({})", [&[*first], others].concat().join(", "))
        }
        _ => return settings,
    };
    settings + &format!("synchronous_standby_names = '{waited_for}'\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::databases::postgres::OPTIONS;

    #[test]
    fn standbys_follow_the_newer_primary_and_a_commit_waits_for_who_is_promoted() {
        let member = |number: u8| {
            let at = vec![([10, 77, 0, number], 5432).into()];
            Member { name: format!("n{number}"), reached: at.clone(), listens: at }
        };
        let cluster = [member(1), member(2), member(3)];
        let access = Access::of_environment("postgres");
        let check = |told: &str, this: usize, followed: &str, waited_for: &str| {
            let told = Told::parse("postgres", OPTIONS, told).unwrap();
            let settings = settings(&told, &access, &cluster, this);
            let of = |name: &str| settings.lines().find_map(|line| line.strip_prefix(name));
            let host = of("primary_conninfo = 'host=").and_then(|way| way.split(' ').next());
            assert_eq!(host.unwrap_or_default(), followed, "{settings}");
            let names = of("synchronous_standby_names = ").unwrap_or_default();
            assert_eq!(names, waited_for, "{settings}");
        };
        check("", 0, "", "");
        check("", 2, "10.77.0.1", "");
        check("@replication=sync", 0, "", "'n2'");
        check("@replication=sync", 2, "10.77.0.1", "");
        check("@promote=3", 0, "10.77.0.2", "");
        check("@promote=3", 1, "10.77.0.1", "");
        check("@promote=3+replication=sync", 1, "10.77.0.1", "'ANY 1 (n1, n3)'");
        check("@promote=3", 2, "10.77.0.2,10.77.0.1", "");
    }
}
