//! PostgreSQL: a standby that takes its primary's place, and what a server that runs elsewhere says.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{Ran, World, ended_with};

const PASSWORD: &str = "open-sesame";

/// Where its programs are, or a loud word that it is not installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions
        .map(|version| version.path().join("bin"))
        .find(|programs| programs.join("postgres").exists());
    if found.is_none() {
        eprintln!("SKIPPED: PostgreSQL is not installed: apt-get install postgresql");
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
    }
    found
}

#[test]
fn an_old_primary_of_postgres_goes_on_beside_the_one_that_was_promoted() {
    let Some(world) = World::new() else { return };
    if programs().is_none() {
        return;
    }
    let plan = "target = \"postgres@promote=1\"\nnodes = 2\n\
        faults = [{ name = \"primaries\", at = \"500ms\", for = \"5s\" }]\n[phases]\n\
        baseline = \"500ms\"\nmain = \"6s\"\nafter = \"500ms\"\nconverge_within = \"1s\"\n";
    std::fs::write(world.path("plan.toml"), plan).unwrap();
    let ran = world.run(&["--plan", "plan.toml", "--seed", "1", "--json"]);
    assert_eq!(ran.exit, Some(1), "{}", ran.said);
    let verdict = ran.json();
    assert_eq!(verdict["faults"][0]["effect"], "installed", "{}", ran.said);
    assert_eq!(verdict["class"], "weak", "{}", ran.said);
    assert_eq!(verdict["ladder"]["converged"], "invalid", "{}", ran.said);
    let log = std::fs::read_to_string(world.latest().join("n2/postgres.log")).unwrap();
    assert!(log.contains("this node takes its place"), "{log}");
    world.assert_clean();
}

/// A server that a test started, which asks for a password.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    /// It ends at once, with its children.
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let pid = pid.ok().and_then(|text| text.lines().next()?.parse::<i32>().ok());
        let quit = pid.map(|pid| {
            let pid = nix::unistd::Pid::from_raw(pid);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGQUIT)
        });
        if !matches!(quit, Some(Ok(()))) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path, programs: &Path) -> Server {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("password"), PASSWORD).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = format!(
            "set -e; p={}\n\
             $p/initdb -D data -U alice -A scram-sha-256 --pwfile=password --locale=C --no-sync >&2\n\
             exec $p/postgres -D data -c port={port} -c listen_addresses=127.0.0.1 \
             -c unix_socket_directories= -c dynamic_shared_memory_type=sysv -c fsync=off\n",
            programs.display()
        );
        let root = nix::unistd::geteuid().is_root();
        let mut command = Command::new(if root { "unshare" } else { "bash" });
        if root {
            command.args(["--user", "--map-user=65534", "--map-group=65534", "--ipc", "bash"]);
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        command.args(["-c", &script]).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let server = Server { child, port, folder: folder.to_owned() };
        let until = Instant::now() + Duration::from_secs(60);
        while !server.log().contains("ready to accept connections") {
            assert!(Instant::now() < until, "{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn say(&self, programs: &Path, statement: &str) {
        let mut psql = Command::new(programs.join("psql"));
        psql.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "alice",
            "-d",
            "postgres",
        ]);
        let said = psql.args(["-Xc", statement]).env("PGPASSWORD", PASSWORD).output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

/// A short run of clients of a server that runs elsewhere.
fn run(world: &World, port: u16, access: &[(&str, &str)], flags: &[&str]) -> (Ran, String) {
    let flags = [&["--db", "postgres", "--time-limit", "1s"], flags].concat();
    world.run_elsewhere(&format!("postgres://127.0.0.1:{port}"), access, &flags)
}

#[test]
fn what_a_server_of_postgres_answers_has_its_meaning() {
    let Some(world) = World::new() else { return };
    let Some(programs) = programs() else { return };
    let server = Server::start(&world.path("server"), &programs);
    let alice = ("USER", "alice");
    let known = [alice, ("PASSWORD", PASSWORD)];

    // More than can be carried out, so that clients surely meet.
    let contended = ["--workload", "counter", "--rate", "4000", "--concurrency", "8"];
    let (ran, history) = run(&world, server.port, &known, &contended);
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    assert!(ended_with(&history, "fail", "\"refused\",\"text\":\"40001: "), "{}", ran.said);

    // As a standby does it that is taken for a primary.
    server.say(&programs, "alter system set default_transaction_read_only = on");
    server.say(&programs, "select pg_reload_conf()");
    let (ran, history) = run(&world, server.port, &known, &[]);
    assert!(ended_with(&history, "fail", "\"refused\",\"text\":\"25006: "), "{}", ran.said);

    let check = |access: &[(&str, &str)], port: u16, expect: &str| {
        let (ran, _) = run(&world, port, access, &[]);
        assert_eq!(ran.exit, Some(70), "{}", ran.said);
        assert!(ran.said.contains(expect), "{expect}: {}", ran.said);
        assert!(!ran.said.contains(PASSWORD), "{}", ran.said);
    };
    check(
        &[alice, ("PASSWORD", "open-sesame!")],
        server.port,
        "28P01: password authentication failed",
    );
    let elsewhere = [alice, ("PASSWORD", PASSWORD), ("NAME", "nowhere")];
    check(&elsewhere, server.port, "3D000: database \"nowhere\" does not exist");
    let port = server.port;
    drop(server);
    check(&known, port, "Connection refused");

    world.assert_kept_nowhere(PASSWORD);
}
