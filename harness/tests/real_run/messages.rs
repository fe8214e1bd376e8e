//! What a run says that cannot begin, of every database: it is not installed, it is something else, its
//! server does not start or never serves, nobody is there. Nothing is left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use splitbrain::databases::{self, Given};

use crate::world::{Ran, World, write_script};

/// Those that are systems of others.
fn all() -> impl Iterator<Item = &'static str> {
    let ours = ["command", "http", "maelstrom", "store"];
    databases::ALL.iter().map(|entry| entry.name).filter(move |name| !ours.contains(name))
}

/// What is said of a run of it, beside where its nodes are.
fn flags(database: &str) -> Vec<&str> {
    let workload: &[&str] =
        if database == "rabbitmq" { &["--workload", "total-queue"] } else { &[] };
    [&["--db", database], workload].concat()
}

/// Programs that a `PATH` leads to, and what each says of its version, and one that is too old says.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("etcd", "etcd Version: 3.4.23", "etcd Version: 2.3.1"),
    ("java", "openjdk version 17", "openjdk version 17"),
    ("mariadb-install-db", "", ""),
    ("mariadbd", "mariadbd  Ver 10.11.19-MariaDB", "mariadbd  Ver 5.5.68-MariaDB"),
    ("memcached", "memcached 1.6.18", "memcached 1.2.8"),
    ("named", "BIND 9.18.1 (Stable Release)", "BIND 9.11.5 (Extended Support Version)"),
    ("nats-server", "nats-server: v2.9.10", "nats-server version 1.0.0"),
    ("patroni", "patroni 3.0.2", "patroni 1.6.5"),
    ("postgres", "postgres (PostgreSQL) 15.18", "postgres (PostgreSQL) 9.6.24"),
    ("rabbitmq-server", "", ""),
    ("redis-server", "Redis server v=7.0.15", "Redis server v=3.0.1"),
];

/// What is where no `PATH` leads goes out of sight of this process and its children. Where something is to
/// stand in its place, it is the first argument.
const HIDE: &str = r#"
for folder in /usr/lib/postgresql /usr/lib/rabbitmq; do
    [ -d $folder ] && mount -t tmpfs none $folder
done
if [ -z "$1" ]; then
    for folder in /usr/share/java /usr/lib/galera; do [ -d $folder ] && mount -t tmpfs none $folder; done
    for file in /usr/bin/mariadbd /usr/sbin/mariadbd /usr/sbin/named /usr/sbin/nats-server; do
        [ -e $file ] && mount --bind /dev/null $file
    done
else
    if [ -d /usr/lib/postgresql ]; then
        mkdir -p /usr/lib/postgresql/15/bin
        cp "$1/postgres" /usr/lib/postgresql/15/bin/postgres
        cp "$1/postgres" /usr/lib/postgresql/15/bin/initdb
    fi
    if [ -d /usr/lib/rabbitmq ]; then
        mkdir -p /usr/lib/rabbitmq/bin /usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8
        cp "$1/rabbitmq-server" /usr/lib/rabbitmq/bin/
    fi
fi
path=$2; shift 2; PATH=$path exec "$@"
"#;

/// A run of a database where only these programs are: nothing, or what is in the folder before all that
/// there is.
fn run(world: &World, database: &str, fakes: Option<&Path>) -> Ran {
    let usual = std::env::var("PATH").unwrap();
    let path = fakes.map_or("/nowhere".to_owned(), |fakes| format!("{}:{usual}", fakes.display()));
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let fakes = fakes.unwrap_or(Path::new(""));
    command.args(["--mount", "sh", "-c", HIDE, "sh"]).arg(fakes).arg(path);
    command.args([env!("CARGO_BIN_EXE_splitbrain"), "run", "--env", "local"]);
    command.args(flags(database));
    command.current_dir(world.path(".")).env("SPLITBRAIN_STATE_DIR", world.path("state"));
    World::ended(command.stdin(Stdio::null()))
}

/// Programs that say what they are, each in its folder's manner, and do something else.
fn fakes(world: &World, folder: &str, does: &str) -> PathBuf {
    let manner = folder;
    let folder = world.path(folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (program, says, old) in PROGRAMS {
        let says = match manner {
            "others" => "a program of another name",
            "old" => old,
            _ => says,
        };
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in --version | -version | -v) echo '{says}'; exit;; esac\n{does}\n"
        );
        write_script(&folder.join(program), &script);
    }
    folder
}

/// Runs of all databases at once, each of which has to end so and to say all of this.
fn check(run: impl Fn(&str) -> Ran + Sync, expect: impl Fn(&str) -> Vec<&'static str> + Sync) {
    std::thread::scope(|scope| {
        for database in all() {
            let (run, expect) = (&run, &expect);
            scope.spawn(move || {
                let ran = run(database);
                assert_eq!(ran.exit, Some(70), "{database}: {}", ran.said);
                for words in expect(database) {
                    assert!(ran.said.contains(words), "{database}: {words}: {}", ran.said);
                }
            });
        }
    });
}

/// Whether what a driver looks for by its place is there.
fn is_in_its_place(database: &str) -> bool {
    let place = match database {
        "galera" => "/usr/lib/galera/libgalera_smm.so",
        "rabbitmq" => "/usr/lib/rabbitmq",
        "zookeeper" => "/usr/share/java/zookeeper.jar",
        _ => "/",
    };
    Path::new(place).exists()
}

#[test]
fn what_is_not_installed_or_something_else_is_told_with_what_would_get_it() {
    let Some(world) = World::new() else { return };
    check(
        |database| run(&world, database, None),
        |_| vec!["cannot be used: ", "to get it: apt-get install "],
    );
    let others = fakes(&world, "others", "exit 3");
    check(
        |database| run(&world, database, Some(&others)),
        |database| match database {
            // These are known by where they are, and do not start.
            "rabbitmq" | "zookeeper" => vec![],
            _ => vec!["cannot be used: ", "to get it: apt-get install "],
        },
    );
    world.assert_clean();
}

#[test]
fn a_version_that_is_too_old_is_told_with_the_first_that_is_not() {
    let Some(world) = World::new() else { return };
    let old = fakes(&world, "old", "exit 3");
    check(
        |database| run(&world, database, Some(&old)),
        |database| match database {
            // Their versions are in the names of files.
            "rabbitmq" | "zookeeper" => vec![],
            _ if !is_in_its_place(database) => vec!["to get it: "],
            _ => vec![" or newer is needed (/"],
        },
    );
    world.assert_clean();
}

#[test]
fn a_server_that_does_not_start_is_told_with_its_last_words() {
    let Some(world) = World::new() else { return };
    let ill = fakes(&world, "ill", "echo the disk is on fire; exit 3");
    check(
        |database| run(&world, database, Some(&ill)),
        |database| {
            if is_in_its_place(database) {
                return vec![" has ended by itself", "last lines of n", "the disk is on fire"];
            }
            eprintln!("SKIPPED: {database} is not installed");
            vec!["to get it: "]
        },
    );
    world.assert_clean();
}

/// Its patience is that of each driver, up to minutes.
#[test]
fn a_server_that_never_serves_is_told_with_its_last_words() {
    if std::env::var_os("SPLITBRAIN_NIGHTLY").is_none() {
        return println!("SKIPPED: it takes minutes; set SPLITBRAIN_NIGHTLY");
    }
    let Some(world) = World::new() else { return };
    let dull = fakes(&world, "dull", "echo still looking for a leader; exec sleep 1000");
    check(
        |database| run(&world, database, Some(&dull)),
        |database| {
            if is_in_its_place(database) {
                return vec![" does not serve: ", "last lines of n1", "looking for a leader"];
            }
            vec!["to get it: "]
        },
    );
    world.assert_clean();
}

#[test]
fn where_nobody_is_there_that_is_told() {
    let Some(world) = World::new() else { return };
    let run = |database: &str| {
        let scheme = databases::open(database, &Given::default()).unwrap().scheme();
        let node = format!("{scheme}://127.0.0.1:1");
        world.run_elsewhere(&node, &[], &flags(database)).0
    };
    check(run, |_| vec!["127.0.0.1:1) does not serve: ", "Connection refused"]);
    world.assert_clean();
}
