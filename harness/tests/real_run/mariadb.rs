//! MariaDB: what a server that runs elsewhere says, and what its levels of isolation let through.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(feature = "tls")]
use crate::logins::{SHOWN, are_refused, certify};
use crate::world::{Ran, World, ended_with};

const PASSWORD: &str = "it's open sesame";

/// Whether it is installed, or a loud word that it is not.
fn is_installed() -> bool {
    let is_there = Path::new("/usr/sbin/mariadbd").exists();
    if !is_there {
        eprintln!("SKIPPED: MariaDB is not installed: apt-get install mariadb-server");
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
    }
    is_there
}

/// A server that a test started, which asks for a password.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path, more_settings: &str) -> Server {
        std::fs::create_dir_all(folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = folder.display();
        let settings = format!(
            "[mysqld]\ndatadir={here}/data\ntmpdir={here}\nsocket=\npid-file=pid\nport={port}\n\
             bind-address=127.0.0.1\nskip-name-resolve\nperformance_schema=OFF\n\
             innodb_buffer_pool_size=32M\ninnodb_log_file_size=16M\ninnodb_use_native_aio=0\n\
             innodb_flush_method=fsync\ninnodb_flush_log_at_trx_commit=0\n{more_settings}"
        );
        std::fs::write(folder.join("my.cnf"), settings).unwrap();
        let quoted = PASSWORD.replace('\'', "''");
        // One of them may do everything, so that it can have the server refuse the other one.
        let setup = format!(
            "FLUSH PRIVILEGES;\nCREATE DATABASE shop;\nCREATE USER alice@'%' IDENTIFIED BY '{quoted}';\n\
             GRANT ALL ON shop.* TO alice@'%';\nCREATE USER admin@'%' IDENTIFIED BY '{quoted}';\n\
             GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n\
             CREATE USER carol@'%' IDENTIFIED BY '{quoted}' REQUIRE X509;\n\
             GRANT ALL ON shop.* TO carol@'%';\n"
        );
        std::fs::write(folder.join("setup.sql"), setup).unwrap();
        let script = "set -e; mkdir data\n\
            mariadb-install-db --defaults-file=$PWD/my.cnf --auth-root-authentication-method=normal \
            --skip-test-db --skip-name-resolve --extra-file=$PWD/setup.sql >&2\n\
            exec /usr/sbin/mariadbd --defaults-file=$PWD/my.cnf\n";
        let is_root = nix::unistd::geteuid().is_root();
        let mut command = Command::new(if is_root { "unshare" } else { "bash" });
        if is_root {
            command.args(["--user", "--map-user=65534", "--map-group=65534", "bash"]);
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        command.args(["-c", script]).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let server = Server { child, port, folder: folder.to_owned() };
        let until = Instant::now() + Duration::from_secs(90);
        while !server.log().contains("ready for connections") {
            assert!(Instant::now() < until, "{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn say(&self, statement: &str) {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "-h127.0.0.1", "-uadmin", &format!("-P{}", self.port)]);
        let said = client.args(["-e", statement]).env("MYSQL_PWD", PASSWORD).output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

/// A short run of clients of a server that runs elsewhere.
fn run(world: &World, port: u16, access: &[(&str, &str)], flags: &[&str]) -> (Ran, String) {
    world.run_elsewhere(&format!("mysql://127.0.0.1:{port}"), access, flags)
}

#[test]
fn what_a_server_of_mariadb_answers_has_its_meaning() {
    let Some(world) = World::new() else { return };
    if !is_installed() {
        return;
    }
    let server = Server::start(&world.path("server"), "");
    let port = server.port;
    let alice = [("USER", "alice"), ("NAME", "shop"), ("PASSWORD", PASSWORD)];
    let short = ["--db", "mariadb", "--time-limit", "1s"];

    // What waits for each other is told so, and what would have been let through is not there.
    let contended = ["--workload", "append", "--rate", "300", "--concurrency", "10", "--keys", "4"];
    let level = |level: &str| {
        let target = format!("mariadb@isolation={level}");
        let flags = ["--db", &target, "--time-limit", "2s"];
        run(&world, port, &alice, &[&flags[..], &contended].concat())
    };
    let (ran, history) = level("serializable");
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    let deadlock = "\"refused\",\"text\":\"40001: ERROR 1213 (40001)";
    assert!(ended_with(&history, "fail", deadlock), "{}", ran.said);
    let (ran, history) = level("snapshot");
    let changed = "\"refused\",\"text\":\"40001: ERROR 1020 (HY000)";
    assert!(ended_with(&history, "fail", changed), "{}", ran.said);
    let violations = ran.json()["violations"].to_string();
    assert!(!violations.contains("lost-update"), "{violations}");

    server.say("SET GLOBAL read_only = ON");
    let (ran, history) = run(&world, port, &alice, &short);
    let reads_only = "\"refused\",\"text\":\"25006: ERROR 1290 (HY000)";
    assert!(ended_with(&history, "fail", reads_only), "{}", ran.said);

    let [user, name, _] = alice;
    let (ran, _) = run(&world, port, &[user, name, ("PASSWORD", "guessed")], &short);
    assert_eq!(ran.exit, Some(70), "{}", ran.said);
    assert!(ran.said.contains("ERROR 1045 (28000)"), "{}", ran.said);

    world.assert_kept_nowhere(PASSWORD);
}

/// Who has to show a certificate is let in only over TLS, by a server that somebody vouches for.
#[cfg(feature = "tls")]
#[test]
fn mariadb_is_spoken_to_by_tls() {
    let Some(world) = World::new() else { return };
    if !is_installed() {
        return;
    }
    certify(&world, "127.0.0.1");
    let here = world.path("");
    let settings = ["cert=cert", "key=key", "ca=cert"]
        .map(|word| word.replace('=', &format!("={}", here.display())))
        .map(|word| format!("ssl-{word}.pem\n"));
    let server = Server::start(&world.path("server"), &settings.concat());
    let carol = [("USER", "carol"), ("NAME", "shop"), ("CA", "cert.pem"), ("PASSWORD", PASSWORD)];
    let secret = format!("mysql+tls://127.0.0.1:{}", server.port);
    let shows = [&carol[..], &SHOWN].concat();
    let (ran, _) = world.run_elsewhere(&secret, &shows, &["--db", "mariadb", "--time-limit", "1s"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    let trusting_nobody: Vec<_> = shows.iter().filter(|(name, _)| *name != "CA").copied().collect();
    let guessing = [&carol[..3], &SHOWN, &[("PASSWORD", "guessed")]].concat();
    let cases = [
        (&secret[..], &carol[..], "ERROR 1045 (28000)"),
        (&secret.replace("+tls", ""), &shows, "ERROR 1045 (28000)"),
        (&secret, &trusting_nobody, "certificate verify failed"),
        (&secret, &guessing, "ERROR 1045 (28000)"),
    ];
    are_refused(&world, "mariadb", &cases);
    world.assert_kept_nowhere(PASSWORD);
    drop(server);
    world.assert_clean();
}

/// The server is started by the tool here, killed, and has what it had acknowledged.
#[test]
fn a_server_of_mariadb_that_is_killed_keeps_what_it_acknowledged() {
    let Some(world) = World::new() else { return };
    if !is_installed() {
        return;
    }
    let plan = "target = \"mariadb\"\nfaults = [{ name = \"kill\", at = \"500ms\", for = \"200ms\" }]\n\
        [phases]\nbaseline = \"500ms\"\nmain = \"4s\"\nafter = \"500ms\"\n";
    std::fs::write(world.path("plan.toml"), plan).unwrap();
    let ran = world.run(&["--plan", "plan.toml", "--seed", "1", "--json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    let verdict = ran.json();
    assert_eq!(verdict["faults"][0]["effect"], "installed", "{}", ran.said);
    assert_eq!(verdict["class"], "linearizable", "{}", ran.said);
    world.assert_clean();
}
