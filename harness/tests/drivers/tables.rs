//! What the servers' own refusals and silences are taken for, each provoked on the real server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use splitbrain_nemesis::node::Signal;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::total_queue::TotalQueue;
use splitbrain_workloads::{Invocation, Vocabulary};

use crate::running::{Running, told};

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
}

/// A primary that misses its replicas says so; a key of another kind is not read.
pub fn redis_sentinel(running: &Running) {
    let mut lists = running.client(ListAppend::NAME, 0, "table-").unwrap();
    let append = Invocation::keyless("txn", json!([["append", 1, 1]]));
    running.until_told(&mut *lists, &append, "ok ");
    until_said(running, 0, &Invocation::new("read", "1", Value::Null), "fail other: WRONGTYPE ");
    tell_primary(running, "CONFIG SET min-replicas-to-write 1");
    without(running, &[1, 2], || until_said(running, 0, &write(), "fail refused: NOREPLICAS "));
    tell_primary(running, "CONFIG SET min-replicas-to-write 0");
}

/// Says something to the first server of Redis, as its administrator.
fn tell_primary(running: &Running, command: &str) {
    let at = (running.cluster.nodes()[0].address, running.database.ports()[0]);
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"+OK\r\n", "{command}");
}

/// A primary that misses most of the others refuses.
pub fn redis_cluster(running: &Running) {
    let others: Vec<usize> = (1..running.cluster.nodes().len()).collect();
    without(running, &others, || until_said(running, 0, &write(), "fail refused: CLUSTERDOWN "));
}

/// Without a majority nobody is elected. An old leader would go on answering, so it is not who is left.
pub fn nats(running: &Running) {
    let left = running.follower();
    let others: Vec<usize> =
        (0..running.cluster.nodes().len()).filter(|node| *node != left).collect();
    without(running, &others, || until_said(running, left, &read(), "fail refused: "));
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
}

/// A server without a majority hangs up.
pub fn zookeeper(running: &Running) {
    without(running, &[1, 2], || until_said(running, 0, &write(), "fail connection: "));
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
}

/// A node in a minority takes nothing.
pub fn galera(running: &Running) {
    let refused = "fail refused: 57P03: ERROR 1047 (08S01)";
    without(running, &[1, 2], || {
        until_said(running, 0, &write(), refused);
        until_said(running, 0, &read(), refused);
    });
}
