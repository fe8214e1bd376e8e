//! What the servers' own refusals and silences are taken for, each provoked on the real server.

mod redis;
mod sql;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;

use nix::sys::signal::{Signal::SIGHUP, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use splitbrain_nemesis::Cluster as _;
use splitbrain_nemesis::node::Signal;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::total_queue::TotalQueue;
use splitbrain_workloads::{Invocation, Vocabulary};

use crate::running::{Running, told};
pub use redis::{redis_cluster, redis_sentinel};
pub use sql::{galera, mariadb, postgres};

/// Kills nodes, asks, and starts them again.
fn without(running: &Running, gone: &[usize], ask: impl FnOnce()) {
    running.signal(gone, Signal::Kill);
    ask();
    gone.iter().for_each(|node| running.cluster.start(*node).unwrap());
    running.wait();
}

fn write() -> Invocation {
    Invocation::new("write", "k", 1)
}

fn read() -> Invocation {
    Invocation::new("read", "k", Value::Null)
}

/// What a client at home at a node is told, of each operation by a connection of its own, at once.
fn at_once(running: &Running, node: usize, operations: Vec<Invocation>) -> Vec<String> {
    running.runtime.block_on(async {
        let mut tasks = Vec::new();
        for operation in operations {
            let mut client = running.client(Register::NAME, node, "table-").unwrap();
            tasks.push(tokio::spawn(async move { told(&mut *client, &operation).await }));
        }
        let mut said = Vec::new();
        for task in tasks {
            said.push(task.await.unwrap());
        }
        said
    })
}

/// Asks at a node until an operation is answered so.
fn until_said(running: &Running, node: usize, operation: &Invocation, expect: &str) {
    let mut client = running.client(Register::NAME, node, "table-").unwrap();
    running.until_told(&mut *client, operation, expect);
}

/// Without a majority nothing is answered in time, and a write may still be carried out.
pub fn etcd(running: &Running) {
    without(running, &[1, 2], || {
        let cas = Invocation::new("cas", "k", json!([1, 2]));
        let said = at_once(running, 0, vec![write(), read(), cas]);
        assert!(said.iter().all(|said| said.starts_with("info ")), "{said:?}");
        assert!(said.iter().any(|said| said.starts_with("info timeout: ")), "{said:?}");
    });
    let ask = |path: &str, body: Value, token: &str| -> Value {
        let (url, token) = (format!("http://{}/v3/auth/{path}", running.at(0)), token.to_owned());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-H", &format!("Authorization: {token}"), "-d", &body.to_string(), &url]);
        let said: Value = serde_json::from_slice(&curl.output().unwrap().stdout).unwrap();
        assert!(said["error"].is_null(), "{path}: {said}");
        said
    };
    let root = json!({ "name": "root", "password": "open" });
    ask("user/add", root.clone(), "");
    ask("role/add", json!({ "name": "root" }), "");
    ask("user/grant", json!({ "user": "root", "role": "root" }), "");
    ask("enable", json!({}), "");
    until_said(running, 0, &write(), "fail other: etcdserver: user name is empty");
    let token = ask("authenticate", root, "")["token"].as_str().unwrap().to_owned();
    ask("disable", json!({}), &token);
    until_said(running, 0, &write(), "ok ");
}

/// Without a majority nobody is elected. An old leader would go on answering, so it is not who is left.
pub fn nats(running: &Running) {
    let left = running.follower();
    let others: Vec<usize> =
        (0..running.cluster.nodes().len()).filter(|node| *node != left).collect();
    let unavailable = "fail refused: JetStream system temporarily unavailable";
    without(running, &others, || until_said(running, left, &read(), unavailable));
    // Whoever knew a bucket that somebody has removed is told so.
    let clients = || running.client(Register::NAME, 0, "table-").unwrap();
    let (mut reader, mut writer) = (clients(), clients());
    running.until_told(&mut *reader, &write(), "ok ");
    running.until_told(&mut *writer, &write(), "ok ");
    let remove = "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\n\
                  PUB $JS.API.STREAM.DELETE.KV_splitbrain answer 0\r\n\r\n";
    assert!(
        hear(running, 0, remove, |line| line.contains("stream_delete_response")).contains("true")
    );
    running.until_told(&mut *writer, &write(), "fail refused: nobody is there to answer (503)");
    running.until_told(&mut *reader, &read(), "fail refused: stream not found");
    running.until_told(&mut *reader, &write(), "ok ");
}

/// What a server that speaks in lines says to somebody else than a client: the first line that is looked for.
fn hear(running: &Running, node: usize, words: &str, is_it: impl Fn(&str) -> bool) -> String {
    let mut stream = BufReader::new(TcpStream::connect(running.at(node)).unwrap());
    stream.get_mut().write_all(words.as_bytes()).unwrap();
    let mut lines = stream.lines().map(Result::unwrap);
    lines.find(|line| is_it(line)).expect("an answer")
}

/// What is not understood has certainly not happened.
pub fn memcached(running: &Running) {
    let long = "x".repeat(300);
    let mut client = running.client(Register::NAME, 0, &long).unwrap();
    for operation in [write(), read(), write()] {
        let said = running.tell(&mut *client, &operation);
        assert!(said.starts_with("fail other: CLIENT_ERROR"), "{said}");
    }
}

/// A secondary cannot hand an update on; it may have arrived all the same.
pub fn bind(running: &Running) {
    without(running, &[0], || {
        for said in at_once(running, 1, vec![write()]) {
            assert!(said.starts_with("info "), "{said}");
        }
        for said in at_once(running, 1, vec![read()]) {
            assert!(said.starts_with("ok "), "{said}");
        }
    });
    // A zone that takes no updates any more, and one that is not there any more.
    let file =
        running.cluster.directory().join(&running.cluster.nodes()[0].name).join("named.conf");
    let settings = fs::read_to_string(&file).unwrap();
    let no_zone = settings.split("zone ").next().unwrap();
    let no_updates = settings.replace("allow-update { any; }", "allow-update { none; }");
    for (changed, code) in [(&no_updates[..], 5), (no_zone, 9)] {
        fs::write(&file, changed).unwrap();
        for process in running.cluster.processes().unwrap().states(0).unwrap() {
            kill(Pid::from_raw(process.pid), SIGHUP).unwrap();
        }
        let expect = format!("fail refused: answered with the code {code}");
        until_said(running, 0, &write(), &expect);
        fs::write(&file, &settings).unwrap();
    }
    without(running, &[0], || ());
}

/// A server without a majority hangs up.
pub fn zookeeper(running: &Running) {
    without(running, &[1, 2], || until_said(running, 0, &write(), "fail connection: "));
    for (prefix, key, code) in [("a//", "k", -8), ("zookeeper/", "config", -102)] {
        let mut client = running.client(Register::NAME, 0, prefix).unwrap();
        let expect = format!("fail other: answered with the code {code}");
        running.until_told(&mut *client, &Invocation::new("write", key, 1), &expect);
    }
}

/// A node in a minority takes nothing.
pub fn rabbitmq(running: &Running) {
    without(running, &[1, 2], || {
        let mut client = running.client(TotalQueue::NAME, 0, "table-").unwrap();
        for (f, value) in [("enqueue", Value::from(1)), ("dequeue", Value::Null)] {
            let said = running.tell(&mut *client, &Invocation::keyless(f, value));
            assert!(!said.starts_with("ok "), "{f}: {said}");
        }
    });
    // Somebody else has made the queue, and another one.
    let enqueue = Invocation::keyless("enqueue", 1);
    let mut first = running.client(TotalQueue::NAME, 0, "other-").unwrap();
    running.until_told(&mut *first, &enqueue, "ok ");
    let mut second = running.client_as("rabbitmq@queue=classic", TotalQueue::NAME, "other-");
    running.until_told(&mut *second, &enqueue, "fail refused: 406 PRECONDITION_FAILED");
}
