//! What servers of Redis refuse.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};
use splitbrain_nemesis::node::Signal;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::{Invocation, Vocabulary};

use super::{hear, read, until_said, without, write};
use crate::running::Running;

/// Says something to a server as its administrator, and returns the last line of its answer.
fn say(running: &Running, node: usize, command: &str) -> String {
    let lengths = |line: &str| line.starts_with('$') || line.starts_with('*');
    hear(running, node, &format!("{command}\r\n"), |line| !lengths(line))
}

fn order(running: &Running, node: usize, command: &str) {
    assert_eq!(say(running, node, command), "+OK", "{command}");
}

/// A primary that misses its replicas says so, a key of another kind is not read, and so on.
pub fn redis_sentinel(running: &Running) {
    let mut lists = running.client(ListAppend::NAME, 0, "table-").unwrap();
    let append = Invocation::keyless("txn", json!([["append", 1, 1]]));
    running.until_told(&mut *lists, &append, "ok ");
    until_said(running, 0, &Invocation::new("read", "1", Value::Null), "fail other: WRONGTYPE ");
    order(running, 0, "CONFIG SET min-replicas-to-write 1");
    without(running, &[1, 2], || until_said(running, 0, &write(), "fail refused: NOREPLICAS "));
    order(running, 0, "CONFIG SET min-replicas-to-write 0");
    for (before, refusal, after) in [
        ("CONFIG SET maxmemory 1", "fail refused: OOM ", "CONFIG SET maxmemory 0"),
        ("ACL SETUSER default -set", "fail other: NOPERM ", "ACL SETUSER default +set"),
        ("REPLICAOF 127.0.0.1 1", "fail refused: READONLY ", "REPLICAOF NO ONE"),
    ] {
        order(running, 0, before);
        until_said(running, 0, &write(), refusal);
        order(running, 0, after);
    }
    order(running, 0, "CONFIG SET requirepass open");
    until_said(running, 0, &write(), "fail other: NOAUTH ");
    order(running, 0, "AUTH open\r\nCONFIG SET requirepass \"\"");
    misses_its_primary(running);
    cannot_save(running);
    is_busy(running);
    until_said(running, 0, &write(), "ok ");
    if std::env::var_os("SPLITBRAIN_NIGHTLY").is_some() {
        reads_what_it_had(running);
    }
}

/// A replica without its primary that was told not to answer from what it has.
fn misses_its_primary(running: &Running) {
    order(running, 1, "CONFIG SET replica-serve-stale-data no");
    order(running, 1, "REPLICAOF 127.0.0.1 1");
    let mut client = running.client_as("redis-sentinel@read-mode=local", Register::NAME, "table-");
    running.until_told(&mut *client, &read(), "fail refused: MASTERDOWN ");
    let primary = running.at(0);
    order(running, 1, &format!("REPLICAOF {} {}", primary.ip(), primary.port()));
    order(running, 1, "CONFIG SET replica-serve-stale-data yes");
}

/// A replica that begins again, and takes its time over each command of its log.
fn reads_what_it_had(running: &Running) {
    let fill = "EVAL \"for i=1,50000 do redis.call('SET', KEYS[1], i) end return 1\" 1 table-k";
    assert_eq!(say(running, 0, fill), ":1");
    let mut client = running.client_as("redis-sentinel@read-mode=local", Register::NAME, "table-");
    running.until_told(&mut *client, &read(), "ok 50000");
    let node = running.cluster.directory().join(&running.cluster.nodes()[1].name);
    let mut settings = fs::File::options().append(true).open(node.join("redis.conf")).unwrap();
    settings.write_all(b"key-load-delay 50\n").unwrap();
    running.signal(&[1], Signal::Kill);
    running.cluster.start(1).unwrap();
    running.until_told(&mut *client, &read(), "fail refused: LOADING ");
    running.wait();
}

/// Where its snapshot goes stands something else.
fn cannot_save(running: &Running) {
    let name = &running.cluster.nodes()[0].name;
    let snapshot = running.cluster.directory().join(name).join("data/dump.rdb");
    let _ = fs::remove_file(&snapshot);
    fs::create_dir(&snapshot).unwrap();
    order(running, 0, "CONFIG SET save \"3600 1\"");
    assert_eq!(say(running, 0, "BGSAVE"), "+Background saving started");
    until_said(running, 0, &write(), "fail refused: MISCONF ");
    order(running, 0, "CONFIG SET save \"\"");
    fs::remove_dir(&snapshot).unwrap();
}

/// Somebody's script does not end.
fn is_busy(running: &Running) {
    order(running, 0, "CONFIG SET busy-reply-threshold 1");
    let mut endless = TcpStream::connect(running.at(0)).unwrap();
    endless.write_all(b"EVAL \"while true do end\" 0\r\n").unwrap();
    until_said(running, 0, &write(), "fail refused: BUSY ");
    order(running, 0, "SCRIPT KILL");
    order(running, 0, "CONFIG SET busy-reply-threshold 5000");
}

/// A primary that misses most of the others refuses, as does one that is about to give a key away.
pub fn redis_cluster(running: &Running) {
    let others: Vec<usize> = (1..running.cluster.nodes().len()).collect();
    without(running, &others, || until_said(running, 0, &write(), "fail refused: CLUSTERDOWN "));
    let owner_of = |key: &str| {
        let mut nodes = 0..running.cluster.nodes().len();
        let takes = |node: &usize| say(running, *node, &format!("DEL {key}")).starts_with(':');
        nodes.find(takes).expect("a node that has it")
    };

    let owner = owner_of("table-given");
    let slot = say(running, owner, "CLUSTER KEYSLOT table-given").replace(':', "");
    let mut keys = ('a'..='z').map(|key| owner_of(&key.to_string()));
    let other = keys.find(|node| *node != owner).expect("it has some of the keys only");
    let id = say(running, other, "CLUSTER MYID");
    order(running, owner, &format!("CLUSTER SETSLOT {slot} MIGRATING {id}"));
    until_said(running, 0, &Invocation::new("write", "given", 1), "fail refused: ASK ");
    order(running, owner, &format!("CLUSTER SETSLOT {slot} STABLE"));
}
