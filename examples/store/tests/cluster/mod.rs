//! Clusters of real processes on loopback, for the tests of the modes.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_splitbrain-store");

static NEXT_PORT: AtomicU16 = AtomicU16::new(7000);

/// A cluster. Dropping it kills all its processes, also when a test fails.
pub struct Cluster {
    mode: &'static str,
    extra: Vec<String>,
    addresses: Vec<SocketAddr>,
    nodes: Vec<Option<Child>>,
    folder: TempDir,
}

/// A status code and the JSON that came with it.
pub type Answer = (u16, Value);

impl Cluster {
    /// Starts `size` nodes with further arguments, and waits until all are ready.
    pub fn start(mode: &'static str, size: usize, extra: &[&str]) -> Self {
        let mut cluster = Self::stopped(mode, size, extra);
        (0..size).for_each(|node| cluster.launch(node));
        (0..size).for_each(|node| cluster.wait_ready(node));
        cluster
    }

    /// A cluster of which no node runs yet.
    pub fn stopped(mode: &'static str, size: usize, extra: &[&str]) -> Self {
        // An address of this test program's own, of which 127.0.0.0/8 has enough: then no port can
        // be lost to an outgoing connection of someone else, not even while a node is down.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 64 | high, middle, low);
        let first = NEXT_PORT.fetch_add(size as u16, Ordering::Relaxed);
        Self {
            mode,
            extra: extra.iter().map(ToString::to_string).collect(),
            addresses: (first..).take(size).map(|port| (address, port).into()).collect(),
            nodes: (0..size).map(|_| None).collect(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Gives nodes that are started from now on other further arguments.
    pub fn set_extra(&mut self, extra: &[&str]) {
        self.extra = extra.iter().map(ToString::to_string).collect();
    }

    /// The command that runs a node.
    pub fn command(&self, node: usize) -> Command {
        let peers: Vec<_> =
            self.addresses.iter().enumerate().map(|(i, at)| format!("n{}={at}", i + 1)).collect();
        let mut command = Command::new(PROGRAM);
        command
            .args(["--id", &format!("n{}", node + 1), "--mode", self.mode])
            .args(["--listen", &self.addresses[node].to_string(), "--peers", &peers.join(",")])
            .arg("--data")
            .arg(self.data(node))
            .args(&self.extra)
            .stdout(Stdio::null());
        command
    }

    /// Starts a node, again or for the first time.
    pub fn launch(&mut self, node: usize) {
        let log = File::options().create(true).append(true).open(self.log(node)).unwrap();
        let mut command = self.command(node);
        command.stderr(log);
        self.launch_as(node, command);
    }

    /// Starts a node by another command.
    pub fn launch_as(&mut self, node: usize, mut command: Command) {
        // A group of its own keeps the terminal's Ctrl-C from it; the drop below ends it.
        command.process_group(0);
        self.nodes[node] = Some(command.spawn().unwrap());
    }

    /// The folder of a node's data.
    pub fn data(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("n{}", node + 1))
    }

    fn log(&self, node: usize) -> PathBuf {
        self.data(node).with_extension("log")
    }

    /// What a node has logged.
    pub fn logged(&self, node: usize) -> String {
        std::fs::read_to_string(self.log(node)).unwrap_or_default()
    }

    /// Sends a signal to a node.
    pub fn signal(&self, node: usize, signal: Signal) {
        let child = self.nodes[node].as_ref().expect("it runs");
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    }

    /// Kills a node as a loss of power would, except that the kernel keeps what it was given.
    pub fn kill(&mut self, node: usize) {
        self.signal(node, Signal::SIGKILL);
        self.exit_code(node);
    }

    /// Waits until a node has ended, and returns its exit code.
    pub fn exit_code(&mut self, node: usize) -> Option<i32> {
        let mut child = self.nodes[node].take().expect("it runs");
        let ended = within(Duration::from_secs(10), || child.try_wait().unwrap());
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        ended.unwrap_or_else(|| panic!("node {node} did not end: {}", self.logged(node))).code()
    }

    /// Waits until a node says that it is ready.
    pub fn wait_ready(&self, node: usize) {
        within(Duration::from_secs(10), || {
            (self.ask(node, "GET", "/health", "").0 == 200).then_some(())
        })
        .unwrap_or_else(|| panic!("node {node} is not ready: {}", self.logged(node)));
    }

    /// Waits until a node leads that is not among `except`, and all others but those agree.
    pub fn wait_leader(&self, except: &[usize]) -> usize {
        within(Duration::from_secs(10), || {
            let nodes: Vec<_> = (0..self.nodes.len()).filter(|i| !except.contains(i)).collect();
            let leader_of = |node: &usize| self.status(*node)["leader"].as_str().map(str::to_owned);
            let leader = leader_of(&nodes[0])?;
            let index = nodes.iter().copied().find(|i| format!("n{}", i + 1) == leader)?;
            nodes.iter().all(|node| leader_of(node).as_ref() == Some(&leader)).then_some(index)
        })
        .expect("a leader that all follow")
    }

    /// The status of a node, or null if it does not answer.
    pub fn status(&self, node: usize) -> Value {
        self.ask(node, "GET", "/status", "").1
    }

    /// Reads a key.
    pub fn get(&self, node: usize, key: &str) -> Answer {
        self.ask(node, "GET", &format!("/kv/{key}"), "")
    }

    /// Writes a key.
    pub fn put(&self, node: usize, key: &str, value: Value) -> Answer {
        self.ask(
            node,
            "PUT",
            &format!("/kv/{key}"),
            &Value::from_iter([("value", value)]).to_string(),
        )
    }

    /// Compares and sets a key.
    pub fn cas(&self, node: usize, key: &str, old: Value, new: Value) -> Answer {
        let body = Value::from_iter([("old", old), ("new", new)]).to_string();
        self.ask(node, "POST", &format!("/kv/{key}/cas"), &body)
    }

    /// Sends a request of any kind. The status code is 0 if no answer came.
    pub fn ask(&self, node: usize, method: &str, path: &str, body: &str) -> Answer {
        ask(self.addresses[node], method, path, body).unwrap_or((0, Value::Null))
    }

    /// Waits until a key has a value at a node; panics with what it has instead.
    pub fn wait_value(&self, node: usize, key: &str, value: &Value, limit: Duration) {
        let expect = json!({ "value": value });
        if within(limit, || (self.get(node, key).1 == expect).then_some(())).is_none() {
            panic!("node {node} has {:?} for {key}, not {value}", self.get(node, key));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().flatten() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// One request on a connection of its own. Plain sockets: the test must not share a fault with the
/// client under test.
fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n")?;
    write!(stream, "content-length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    let bad = || std::io::Error::other(format!("no JSON answer: {answer}"));
    let json = serde_json::from_str(body.ok_or_else(bad)?).map_err(|_| bad())?;
    Ok((code.ok_or_else(bad)?, json))
}

/// Tries until there is an answer, for as long as `limit`.
pub fn within<T>(limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        let result = attempt();
        if result.is_some() || Instant::now() > end {
            return result;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a call returned and how long it took.
pub fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (call(), start.elapsed())
}
