//! What programs on the hosts see of each other.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use splitbrain::environments::{Access, Daemon, Host, SshCluster};
use splitbrain_nemesis::clock::Reading;
use splitbrain_nemesis::conformance::{Connection, Witness};
use splitbrain_nemesis::shaping::Arrival;
use splitbrain_nemesis::{Cluster, Link};

use crate::hosts::{Hosts, run_name, slim, splitbrain};
use crate::node_program::PORT;

/// After this a node that does not answer is taken to be down.
const PATIENCE: Duration = Duration::from_millis(400);
/// For one that certainly runs, on a machine that does much else.
const LONG_PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer is waited for before the question is sent again.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Name of the node program on the hosts.
const PROGRAM: &str = "talker";

pub struct Talkers {
    pub cluster: Arc<SshCluster>,
    socket: UdpSocket,
    rounds: Cell<u32>,
}

/// A cluster on these hosts with the node program installed.
pub fn installed(access: &Access, hosts: &[Host]) -> SshCluster {
    let run = run_name("test");
    let small = tempfile::tempdir().expect("a temporary folder");
    let program = slim(&std::env::current_exe().expect("own path"), small.path());
    let agent = slim(&splitbrain(), small.path());
    let files = [(PROGRAM, program.as_path())];
    let provisioned = SshCluster::provision(access, hosts, &run, &agent, &files);
    let cluster = provisioned.unwrap_or_else(|error| panic!("{error}"));
    let daemon = |node: usize| {
        let folder = cluster.folder(node);
        Daemon {
            program: folder.join(PROGRAM),
            args: vec!["node".to_owned(), (node + 1).to_string()],
            env: Vec::new(),
            files: Vec::new(),
            directory: folder.join("work"),
            log: folder.join("log"),
        }
    };
    let daemons = (0..hosts.len()).map(daemon).collect();
    cluster.install(daemons).unwrap_or_else(|error| panic!("{error}"));
    cluster
}

impl Talkers {
    pub fn start(hosts: &Hosts) -> Talkers {
        let cluster = Arc::new(installed(&hosts.access, &hosts.all));
        cluster.attach_clocks();
        for node in 0..hosts.all.len() {
            cluster.start(node).unwrap_or_else(|error| panic!("{error}"));
        }
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket.set_read_timeout(Some(ASK_EVERY)).expect("a timeout");
        let talkers = Talkers { cluster, socket, rounds: Cell::new(0) };
        for node in 0..hosts.all.len() {
            assert!(talkers.ask_for(node, "life", Duration::from_secs(5)).is_some());
        }
        talkers
    }

    pub fn erased(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    fn ask(&self, node: usize, question: &str) -> Option<String> {
        self.ask_for(node, question, PATIENCE)
    }

    fn ask_for(&self, node: usize, question: &str, patience: Duration) -> Option<String> {
        let address = self.cluster.nodes()[node].address;
        let marker = question.split(' ').nth(1).unwrap_or(question);
        // Counted and not timed: when nothing has run for a while, nobody could have answered.
        for _ in 0..patience.as_millis() / ASK_EVERY.as_millis() {
            let _ = self.socket.send_to(question.as_bytes(), (address, PORT));
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if from.ip() == address && answer.split(' ').any(|word| word == marker) {
                    return Some(answer);
                }
            }
        }
        None
    }
}

impl Witness for Talkers {
    fn heard(&self) -> BTreeSet<Link> {
        let nodes = self.cluster.nodes();
        let mut heard = BTreeSet::new();
        // Said more than once, since a busy machine may lose a datagram.
        for _ in 0..3 {
            let round = self.rounds.get() + 1;
            self.rounds.set(round);
            for node in 0..nodes.len() {
                let others = nodes.iter().enumerate().filter(|(other, _)| *other != node);
                let others: Vec<_> = others.map(|(_, spec)| spec.address.to_string()).collect();
                self.ask_for(node, &format!("say {round} {}", others.join(" ")), LONG_PATIENCE)
                    .expect("it runs");
            }
            thread::sleep(Duration::from_millis(20));
            for to in 0..nodes.len() {
                let answer = self.ask_for(to, &format!("heard {round}"), LONG_PATIENCE);
                let answer = answer.expect("it runs");
                let who = answer.split(' ').skip(1).filter(|word| !word.is_empty());
                let who = who.map(|number| number.parse::<usize>().expect("a number") - 1);
                heard.extend(who.map(|from| Link { from, to }));
            }
        }
        heard
    }

    fn life(&self, node: usize) -> Option<u64> {
        self.ask(node, "life")?.split(' ').nth(1)?.parse().ok()
    }

    fn stream(&self, _: Link, _: u32, _: usize, _: Duration) -> Vec<Arrival> {
        unreachable!("the environment ssh shapes no links")
    }

    fn connect(&self, _: Link) -> Connection {
        unreachable!("the environment ssh resets no connections")
    }

    fn share(&self, _: usize) -> f64 {
        unreachable!("the environment ssh limits no processes")
    }

    fn take(&self, _: usize, _: u64) {
        unreachable!("the environment ssh limits no processes")
    }

    fn append(&self, _: usize, _: &str, _: &str, _: bool) -> Result<Duration, i32> {
        unreachable!("the environment ssh breaks no disks")
    }

    fn read(&self, _: usize, _: &str) -> Result<Option<String>, i32> {
        unreachable!("the environment ssh breaks no disks")
    }

    fn clock(&self, node: usize) -> Option<Reading> {
        let id = format!("id{}", self.rounds.get());
        self.rounds.set(self.rounds.get() + 1);
        let answer = self.ask_for(node, &format!("clock {id}"), Duration::from_secs(5))?;
        let mut numbers = answer.split(' ').skip(1).map(|text| text.parse().expect("a number"));
        let mut next = || numbers.next();
        Some(Reading { before_ns: next()?, told_ns: next()?, after_ns: next()? })
    }
}
