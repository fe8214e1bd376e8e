//! Systems that run already and let in nobody but whom they know: the password is never kept.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

#[cfg(feature = "tls")]
use crate::world::ended_with;
use crate::world::{Ran, World, eventually};

const PASSWORD: &str = "open-sesame";

/// A server that was started by a test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server in a folder of the world, or says loudly that there is none.
fn start(world: &World, command: &str) -> Option<Server> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let log = fs::File::create(world.path("server.log")).unwrap();
    let started = Command::new(words[0])
        .args(&words[1..])
        .current_dir(world.path("."))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    match started {
        Ok(child) => Some(Server(child)),
        Err(error) => {
            eprintln!("SKIPPED: {}: {error}", words[0]);
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            None
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that has to succeed sooner or later, since its server may just be starting.
fn surely(world: &World, command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    eventually(command, || {
        let ran = Command::new(words[0]).args(&words[1..]).current_dir(world.path(".")).output();
        ran.is_ok_and(|ran| {
            ran.status.success() && !String::from_utf8_lossy(&ran.stdout).contains("error")
        })
    });
}

/// A short run as somebody.
fn run(world: &World, database: &str, node: &str, who: &[(&str, &str)]) -> Ran {
    world.run_elsewhere(node, who, &["--db", database, "--time-limit", "2s"]).0
}

/// What a node is asked as whom, and the words in which that is refused.
pub type Refusal<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Runs that cannot begin, all at once since they try for some seconds.
pub fn are_refused(world: &World, database: &str, cases: &[Refusal]) {
    std::thread::scope(|scope| {
        for (node, who, refusal) in cases {
            scope.spawn(move || {
                let ran = run(world, database, node, who);
                assert_eq!(ran.exit, Some(70), "{}", ran.said);
                assert!(ran.said.contains(refusal), "{refusal}: {}", ran.said);
            });
        }
    });
}

/// Whoever is known is let in, whoever says another password is not, and no file has the right one.
/// There may be more that is refused.
fn lets_in_whom_it_knows(
    world: &World,
    database: &str,
    node: &str,
    who: &[(&str, &str)],
    refusal: &str,
    more: &[Refusal],
) {
    let good = [who, &[("PASSWORD", PASSWORD)]].concat();
    let ran = run(world, database, node, &good);
    assert_eq!((ran.exit, &ran.json()["verdict"]), (Some(0), &"valid".into()), "{}", ran.said);
    let bad = [who, &[("PASSWORD", "wrong")]].concat();
    are_refused(world, database, &[&[(node, &bad[..], refusal)], more].concat());
    world.assert_kept_nowhere(PASSWORD);
}

#[test]
fn redis_asks_for_a_password() {
    let Some(world) = World::new() else { return };
    let port = free_port();
    let Some(_server) = start(
        &world,
        &format!(
            "redis-server --bind 127.0.0.1 --port {port} --cluster-enabled yes \
            --cluster-port {} --requirepass {PASSWORD}",
            free_port()
        ),
    ) else {
        return;
    };
    let ask = format!("redis-cli -p {port} -a {PASSWORD} CLUSTER");
    surely(&world, &format!("{ask} ADDSLOTSRANGE 0 16383"));
    let node = format!("redis://127.0.0.1:{port}");
    lets_in_whom_it_knows(&world, "redis-cluster", &node, &[], "WRONGPASS", &[]);
    world.assert_clean();
}

#[test]
fn nats_asks_for_a_user_and_a_password() {
    let Some(world) = World::new() else { return };
    // Where its monitor is has one port only, so it has an address of its own.
    let settings = format!(
        "listen: 127.77.4.22:4222\nhttp: 127.77.4.22:8222\njetstream {{ store_dir: nats }}\n\
         authorization {{ user: me, password: {PASSWORD} }}\n"
    );
    fs::write(world.path("nats.conf"), settings).unwrap();
    let Some(_server) = start(&world, "nats-server -c nats.conf") else { return };
    let who = [("USER", "me")];
    let node = "nats://127.77.4.22:4222";
    let secret: [Refusal; 1] = [("tls://127.77.4.22:4222", &who, "does not speak TLS")];
    let more = if cfg!(feature = "tls") { &secret[..] } else { &[] };
    lets_in_whom_it_knows(&world, "nats", node, &who, "Authorization Violation", more);
    world.assert_clean();
}

#[test]
fn who_one_is_has_to_make_sense() {
    let Some(world) = World::new() else { return };
    let check = |database: &str, node: &str, who: &[(&str, &str)], told: &str| {
        let ran = run(&world, database, node, who);
        assert_eq!(ran.exit, Some(64), "{}", ran.said);
        assert!(ran.said.contains(told), "{}", ran.said);
    };
    let me = ("USER", "me");
    check("bind", "dns://127.0.0.1:9", &[me], "bind knows no users here");
    check("etcd", "http://me:it@127.0.0.1:9", &[], "are told in SPLITBRAIN_DB_USER");
    let both = "http://127.0.0.1:9,https://127.0.0.1:10";
    check("etcd", both, &[], "by TLS or none");
    let (secret, missing) = ("https://127.0.0.1:9", [("CA", "none.pem")]);
    if cfg!(feature = "tls") {
        check("etcd", secret, &missing, "SPLITBRAIN_DB_CA=none.pem: No such file");
        let alone = [("KEY", "key.pem")];
        check("etcd", secret, &alone, "SPLITBRAIN_DB_CERT and SPLITBRAIN_DB_KEY belong together");
    } else {
        check("etcd", secret, &missing, "--features tls");
        check("nats", "tls://127.0.0.1:9", &missing, "--features tls");
        check("mariadb", "mysql+tls://127.0.0.1:9", &missing, "--features tls");
    }
}

/// A certificate in the world's folder, by itself and for an address of this machine.
#[cfg(feature = "tls")]
pub fn certify(world: &World, address: &str) {
    // etcd's gateway takes nobody by a common name.
    let command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -keyout key.pem -out cert.pem -days 3 -subj /O=test -addext subjectAltName=IP:";
    surely(world, &format!("{command}{address}"));
}

/// What a client shows of itself.
#[cfg(feature = "tls")]
pub const SHOWN: [(&str, &str); 2] = [("CERT", "cert.pem"), ("KEY", "key.pem")];

#[cfg(feature = "tls")]
#[test]
fn nats_is_spoken_to_by_tls_and_asks_for_a_certificate_a_user_and_a_password() {
    let Some(world) = World::new() else { return };
    let host = "127.77.4.23";
    certify(&world, host);
    let settings = format!(
        "listen: {host}:4222\nhttp: {host}:8222\njetstream {{ store_dir: nats }}\n\
         authorization {{ user: me, password: {PASSWORD}, timeout: 20 }}\n\
         tls {{ cert_file: cert.pem, key_file: key.pem, ca_file: cert.pem, verify: true, timeout: 20 }}\n"
    );
    fs::write(world.path("nats.conf"), settings).unwrap();
    let Some(_server) = start(&world, "nats-server -c nats.conf") else { return };
    let known = [("USER", "me"), ("CA", "cert.pem"), ("PASSWORD", PASSWORD)];
    let node = format!("tls://{host}:4222");
    let who = [&known[..2], &SHOWN].concat();
    let more = [
        (&node[..], &known[..], "certificate"),
        (&node, &SHOWN, "certificate verify failed"),
        ("nats://127.77.4.23:4222", &known, "wants TLS"),
    ];
    lets_in_whom_it_knows(&world, "nats", &node, &who, "Authorization Violation", &more);
    world.assert_clean();
}

#[cfg(feature = "tls")]
#[test]
fn etcd_is_spoken_to_by_tls_and_asks_for_a_certificate_a_user_and_a_password() {
    let Some(world) = World::new() else { return };
    certify(&world, "127.0.0.1");
    let (port, peers) = (free_port(), free_port());
    let node = format!("https://127.0.0.1:{port}");
    let Some(_server) = start(
        &world,
        &format!(
            "etcd --name a --data-dir e --listen-client-urls {node} --advertise-client-urls {node} \
            --listen-peer-urls http://127.0.0.1:{peers} --initial-cluster a=http://127.0.0.1:{peers} \
            --initial-advertise-peer-urls http://127.0.0.1:{peers} --cert-file cert.pem \
            --key-file key.pem --client-cert-auth --trusted-ca-file cert.pem"
        ),
    ) else {
        return;
    };
    let asked = [
        format!(r#"user/add -d {{"name":"root","password":"{PASSWORD}"}}"#),
        r#"role/add -d {"name":"root"}"#.to_owned(),
        r#"user/grant -d {"user":"root","role":"root"}"#.to_owned(),
        format!(r#"user/add -d {{"name":"guest","password":"{PASSWORD}"}}"#),
        "enable -d {}".to_owned(),
    ];
    for ask in asked {
        let curl = "curl -s --cacert cert.pem --cert cert.pem --key key.pem";
        surely(&world, &format!("{curl} {node}/v3/auth/{ask}"));
    }
    let known = [("USER", "root"), ("CA", "cert.pem")];
    let who = [known, SHOWN].concat();
    let more =
        [(&node[..], &known[..], "certificate"), (&node, &SHOWN, "certificate verify failed")];
    lets_in_whom_it_knows(&world, "etcd", &node, &who, "invalid user ID or password", &more);
    // Who may do nothing is told so of each operation.
    let guest = [("USER", "guest"), ("PASSWORD", PASSWORD), known[1], SHOWN[0], SHOWN[1]];
    let flags = ["--db", "etcd", "--time-limit", "1s"];
    let (ran, history) = world.run_elsewhere(&node, &guest, &flags);
    assert_eq!(ran.exit, Some(2), "{}", ran.said);
    assert!(ended_with(&history, "fail", "etcdserver: permission denied"), "{history}");
    assert!(!history.contains("\"type\":\"ok\""), "{history}");
    world.assert_clean();
}

#[cfg(feature = "tls")]
#[test]
fn redis_is_spoken_to_by_tls() {
    let Some(world) = World::new() else { return };
    certify(&world, "127.0.0.1");
    let port = free_port();
    let Some(_server) = start(
        &world,
        &format!(
            "redis-server --bind 127.0.0.1 --port 0 --tls-port {port} --tls-cert-file cert.pem \
            --tls-key-file key.pem --tls-auth-clients no --cluster-enabled yes \
            --cluster-port {} --requirepass {PASSWORD}",
            free_port()
        ),
    ) else {
        return;
    };
    let ask = format!("redis-cli --tls --cacert cert.pem -p {port} -a {PASSWORD} CLUSTER");
    surely(&world, &format!("{ask} ADDSLOTSRANGE 0 16383"));
    let node = format!("rediss://127.0.0.1:{port}");
    let who = [("CA", "cert.pem")];
    lets_in_whom_it_knows(&world, "redis-cluster", &node, &who, "WRONGPASS", &[]);
    world.assert_clean();
}
