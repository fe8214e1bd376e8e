//! A cluster of [node programs](crate::node_program), and what they see.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use splitbrain::environments::{Daemon, LocalCluster, Sandbox, SandboxError};
use splitbrain_nemesis::clock::Reading;
use splitbrain_nemesis::conformance::{Connection, Witness};
use splitbrain_nemesis::shaping::Arrival;
use splitbrain_nemesis::{Cluster, Link};

use crate::node_program::{DISK, PORT};
use crate::stream;

/// After this a node that does not answer is taken to be down; it is on the same machine.
const PATIENCE: Duration = Duration::from_millis(300);

/// For what takes a node a while, and for one that certainly runs on a machine that does much else.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// For what a node may die of.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer is waited for before the question is sent again.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// The longest that packets of a stream are on their way.
const LONGEST_WAY: Duration = Duration::from_millis(600);

pub struct Talkers {
    pub cluster: Arc<LocalCluster>,
    socket: UdpSocket,
    rounds: Cell<u32>,
}

/// A name that no other run has.
pub fn run_name(what: &str) -> String {
    let now = std::time::SystemTime::now();
    let nanos = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("{what}-{}-{nanos}", std::process::id())
}

/// Fails, with why, if this user is given no sandbox; that is for the doctor to mend, not for
/// these tests.
pub fn probe() -> ExitCode {
    match Sandbox::enter(&run_name("probe")) {
        Err(SandboxError::Denied { why, .. }) => {
            println!("{why}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// The node program as a daemon.
pub fn talker(cluster: &LocalCluster, node: usize) -> Daemon {
    Daemon {
        program: std::env::current_exe().expect("own path"),
        args: vec!["node".to_owned(), (node + 1).to_string()],
        env: Vec::new(),
        files: Vec::new(),
        directory: cluster.directory().join(format!("n{}", node + 1)),
        log: cluster.directory().join(format!("n{}/log", node + 1)),
    }
}

/// A shell script as a daemon.
pub fn script(cluster: &LocalCluster, node: usize, script: &str) -> Daemon {
    let args = vec!["-c".to_owned(), script.to_owned()];
    Daemon { program: "sh".into(), args, ..talker(cluster, node) }
}

pub fn provisioned(nodes: usize) -> LocalCluster {
    let sandbox = Sandbox::enter(&run_name("test")).unwrap_or_else(|error| panic!("{error}"));
    LocalCluster::provision(sandbox, nodes).unwrap_or_else(|error| panic!("{error}"))
}

impl Talkers {
    /// A cluster of talkers that all answer.
    pub fn start(nodes: usize) -> Talkers {
        let cluster = provisioned(nodes);
        let talkers: Vec<_> = (0..nodes).map(|node| talker(&cluster, node)).collect();
        let disks: Vec<_> = talkers.iter().map(|talker| talker.directory.join(DISK)).collect();
        cluster.prepare_limits();
        cluster.install(talkers);
        cluster.attach_disks(&disks);
        cluster.attach_clocks();
        for node in 0..nodes {
            cluster.start(node).unwrap_or_else(|error| panic!("{error}"));
        }
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let talkers = Talkers { cluster: Arc::new(cluster), socket, rounds: Cell::new(0) };
        for node in 0..nodes {
            assert!(talkers.ask_for(node, "life", Duration::from_secs(5)).is_some());
        }
        talkers
    }

    /// The cluster as the nemesis knows it.
    pub fn erased(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    fn next_round(&self) -> u32 {
        self.rounds.set(self.rounds.get() + 1);
        self.rounds.get()
    }

    /// A node's answer, if it comes.
    fn ask(&self, node: usize, question: &str) -> Option<String> {
        self.ask_for(node, question, PATIENCE)
    }

    /// The answer to a question that is sent once only, since it does something each time. The
    /// way from here to the nodes is never bad.
    fn ask_once(&self, node: usize, question: &str) -> String {
        let address = self.cluster.nodes()[node].address;
        self.socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        self.socket.send_to(question.as_bytes(), (address, PORT)).expect("it can be sent");
        let marker = question.split(' ').nth(1).expect("it has one");
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).expect("it answers");
            let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if from.ip() == address && answer.split(' ').any(|word| word == marker) {
                return answer;
            }
        }
    }

    /// The answer to a question that is asked for the first time, without the word that marks it.
    fn ask_own(&self, node: usize, about: &str, rest: &str) -> Option<String> {
        let id = format!("id{}", self.rounds.get());
        self.rounds.set(self.rounds.get() + 1);
        let question = format!("{about} {id} {rest}");
        let answer = self.ask_for(node, question.trim_end(), Duration::from_secs(5))?;
        Some(answer.strip_prefix(&id)?.trim_start().to_owned())
    }

    fn ask_for(&self, node: usize, question: &str, patience: Duration) -> Option<String> {
        let address = self.cluster.nodes()[node].address;
        self.socket.set_read_timeout(Some(ASK_EVERY)).expect("a timeout");
        // Counted and not timed: when nothing has run for a while, nobody could have answered.
        for _ in 0..patience.as_millis() / ASK_EVERY.as_millis() {
            let _ = self.socket.send_to(question.as_bytes(), (address, PORT));
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let marker = question.split(' ').nth(1).unwrap_or(question);
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
        // Said more than once, since a busy machine may lose a datagram.
        let rounds: Vec<u32> = (1..=3).map(|turn| self.rounds.get() + turn).collect();
        self.rounds.set(self.rounds.get() + 3);
        for round in &rounds {
            for (node, _) in nodes.iter().enumerate() {
                let others = nodes.iter().enumerate().filter(|(other, _)| *other != node);
                let others: Vec<_> = others.map(|(_, spec)| spec.address.to_string()).collect();
                self.ask_for(node, &format!("say {round} {}", others.join(" ")), LONG_PATIENCE)
                    .expect("it runs");
            }
        }
        thread::sleep(Duration::from_millis(20));
        let mut heard = BTreeSet::new();
        for round in &rounds {
            for (to, _) in nodes.iter().enumerate() {
                let answer = self.ask_for(to, &format!("heard {round}"), LONG_PATIENCE);
                let answer = answer.expect("it runs");
                let who = answer.split(' ').skip(1).filter(|word| !word.is_empty());
                heard.extend(who.map(|number| Link {
                    from: number.parse::<usize>().expect("a number") - 1,
                    to,
                }));
            }
        }
        heard
    }

    fn life(&self, node: usize) -> Option<u64> {
        self.ask(node, "life")?.split(' ').nth(1)?.parse().ok()
    }

    fn stream(&self, link: Link, packets: u32, bytes: usize, gap: Duration) -> Vec<Arrival> {
        let report = |turn: u32| {
            // Each has a file of its own: one that is asked for twice is empty the second time.
            let path = self.cluster.directory().join(format!("stream-{turn}"));
            let question = format!("report {}", path.display());
            self.ask_once(link.to, &question);
            let said = std::fs::read_to_string(&path).expect("it was written");
            std::fs::remove_file(path).expect("it is there");
            said
        };
        report(0);
        let to = self.cluster.nodes()[link.to].address;
        self.ask_once(link.from, &format!("stream {to} {packets} {bytes} {}", gap.as_micros()));
        thread::sleep(gap * packets + LONGEST_WAY + 50 * self.lateness());
        stream::parse(link, &report(1))
    }

    fn lateness(&self) -> Duration {
        // Where it is not said, the machine has a fine clock.
        let told = std::env::var("SPLITBRAIN_LATENESS_MS").ok();
        Duration::from_millis(told.map_or(4, |ms| ms.parse().expect("milliseconds")))
    }

    fn connect(&self, link: Link) -> Connection {
        let to = self.cluster.nodes()[link.to].address;
        let answer = self.ask_once(link.from, &format!("connect {to}"));
        match answer.split(' ').nth(1) {
            Some("open") => Connection::Open,
            Some("reset") => Connection::Reset,
            _ => Connection::Silent,
        }
    }

    fn share(&self, node: usize) -> f64 {
        let question = format!("compute {}", self.next_round());
        let answer = self.ask_for(node, &question, LONG_PATIENCE).expect("it runs");
        answer.split(' ').nth(1).and_then(|share| share.parse().ok()).expect("a number")
    }

    fn take(&self, node: usize, bytes: u64) {
        let question = format!("take {} {bytes}", self.next_round());
        self.ask_for(node, &question, LAST_PATIENCE);
    }

    fn append(&self, node: usize, file: &str, text: &str, sync: bool) -> Result<Duration, i32> {
        let sync = if sync { "sync" } else { "no" };
        let answer = self.ask_own(node, "append", &format!("{file} {sync} {text}"));
        match answer.expect("it runs").split_once(' ').expect("two words") {
            ("took", nanos) => Ok(Duration::from_nanos(nanos.parse().expect("a number"))),
            (_, errno) => Err(errno.parse().expect("a number")),
        }
    }

    fn read(&self, node: usize, file: &str) -> Result<Option<String>, i32> {
        let answer = self.ask_own(node, "read", file).expect("it runs");
        match answer.split_once(' ').unwrap_or((&answer, "")) {
            ("none", _) => Ok(None),
            ("text", text) => Ok(Some(text.to_owned())),
            (_, errno) => Err(errno.parse().expect("a number")),
        }
    }

    fn clock(&self, node: usize) -> Option<Reading> {
        let answer = self.ask_own(node, "clock", "")?;
        let mut numbers = answer.split(' ').map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next();
        Some(Reading { before_ns: next()?, told_ns: next()?, after_ns: next()? })
    }
}
