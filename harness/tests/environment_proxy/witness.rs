//! A cluster of [node programs](crate::node_program), and what they see.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use splitbrain::environments::proxy::{Ports, stand};
use splitbrain::environments::{Daemon, Hosts, ProxyCluster};
use splitbrain_nemesis::clock::Reading;
use splitbrain_nemesis::conformance::{Connection, Witness};
use splitbrain_nemesis::shaping::Arrival;
use splitbrain_nemesis::{Cluster, Link};

use crate::stream;

/// After this a node that does not answer is taken to be down; it is on the same machine.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same of a node that certainly runs, on a machine that does much else.
const LONG_PATIENCE: Duration = Duration::from_secs(10);
/// How long a word may take from one node to another.
const ON_THE_WAY: Duration = Duration::from_millis(300);
/// The longest that a message of a stream is on its way.
const LONGEST_WAY: Duration = Duration::from_millis(1_500);
/// How often it is said at least, and until nothing more is heard.
const ROUNDS: usize = 2;
/// How often a question is asked at least: while nothing runs, time passes all the same.
const TRIES: u32 = 3;

pub struct Talkers {
    pub cluster: Arc<ProxyCluster>,
    round: Cell<u32>,
}

/// A name that no other run has.
pub fn run_name(what: &str) -> String {
    let now = std::time::SystemTime::now();
    let nanos = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("{what}-{}-{nanos}", std::process::id())
}

/// The node program as a daemon.
pub fn talker(cluster: &ProxyCluster, node: usize) -> Daemon {
    let members = cluster.told_to(node, &[]);
    let number = (node + 1).to_string();
    let mut args = vec!["node".to_owned(), number, members[node].listens[0].to_string()];
    let others = members.iter().enumerate().filter(|(other, _)| *other != node);
    args.extend(others.map(|(_, member)| member.reached[0].to_string()));
    Daemon {
        program: std::env::current_exe().expect("own path"),
        args,
        env: Vec::new(),
        files: Vec::new(),
        directory: cluster.directory().join(format!("n{}", node + 1)),
        log: cluster.directory().join(format!("n{}/log", node + 1)),
    }
}

/// A shell script as a daemon.
pub fn script(cluster: &ProxyCluster, node: usize, script: &str) -> Daemon {
    let args = vec!["-c".to_owned(), script.to_owned()];
    Daemon { program: "sh".into(), args, ..talker(cluster, node) }
}

pub fn provisioned(nodes: usize, one_address: bool) -> ProxyCluster {
    let stand = stand(&run_name("test")).unwrap_or_else(|error| panic!("{error}"));
    let ports = Ports { each: 1, one_address };
    ProxyCluster::provision(stand, nodes, ports).unwrap_or_else(|error| panic!("{error}"))
}

impl Talkers {
    /// A cluster of talkers that all answer.
    pub fn start(nodes: usize, one_address: bool) -> Talkers {
        let cluster = provisioned(nodes, one_address);
        cluster.install((0..nodes).map(|node| talker(&cluster, node)).collect());
        for node in 0..nodes {
            cluster.launch(node).unwrap_or_else(|error| panic!("{error}"));
        }
        let talkers = Talkers { cluster: Arc::new(cluster), round: Cell::new(0) };
        for node in 0..nodes {
            assert!(talkers.ask_for(node, "life", LONG_PATIENCE).is_some());
        }
        talkers
    }

    /// The cluster as the nemesis knows it.
    pub fn erased(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    /// A node's answer, if it comes.
    fn ask_for(&self, node: usize, question: &str, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        let mut tries = 0;
        while tries < TRIES || Instant::now() < until {
            let at = self.cluster.clients_reach(node, &[]);
            if let Ok(answer) = ask_once(at, question, patience / TRIES) {
                return Some(answer);
            }
            tries += 1;
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

/// One connection, one question; an answer that is cut short is none.
fn ask_once(
    at: std::net::SocketAddr,
    question: &str,
    patience: Duration,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    let whole = answer.strip_suffix('\n').map(str::to_owned);
    whole.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

/// The place of the one end among those that the other was told of.
fn its_other(link: Link) -> usize {
    link.to - usize::from(link.to > link.from)
}

impl Witness for Talkers {
    fn heard(&self) -> BTreeSet<Link> {
        let nodes = self.cluster.nodes().len();
        let mut heard = BTreeSet::new();
        let mut sizes: Vec<usize> = Vec::new();
        while sizes.len() < ROUNDS || sizes[sizes.len() - 2] < heard.len() {
            self.round.set(self.round.get() + 1);
            let round = self.round.get();
            let ask = |node: usize, question: String| {
                self.ask_for(node, &question, LONG_PATIENCE).expect("it runs")
            };
            for node in 0..nodes {
                ask(node, format!("say {round}"));
            }
            thread::sleep(ON_THE_WAY);
            for to in 0..nodes {
                let answer = ask(to, format!("heard {round}"));
                let who = answer.split(' ').skip(1).filter(|word| !word.is_empty());
                let who = who.map(|number| number.parse::<usize>().expect("a number") - 1);
                heard.extend(who.map(|from| Link { from, to }));
            }
            sizes.push(heard.len());
        }
        heard
    }

    fn stream(&self, link: Link, packets: u32, bytes: usize, gap: Duration) -> Vec<Arrival> {
        let ask = |node: usize, question: &str| {
            self.ask_for(node, question, LONG_PATIENCE).expect("it runs")
        };
        ask(link.to, "report");
        let to = its_other(link);
        ask(link.from, &format!("stream {to} {packets} {bytes} {}", gap.as_micros()));
        thread::sleep(gap * packets + LONGEST_WAY);
        stream::parse(link, &ask(link.to, "report"))
    }

    /// A message goes through two more connections than a datagram, and through threads.
    fn lateness(&self) -> Duration {
        // Where it is not said, the machine does little else.
        let told = std::env::var("SPLITBRAIN_LATENESS_MS").ok();
        Duration::from_millis(told.map_or(20, |ms| ms.parse().expect("milliseconds")))
    }

    /// Each is a connection.
    fn gap(&self) -> Duration {
        Duration::from_millis(4)
    }

    fn connect(&self, link: Link) -> Connection {
        let question = format!("connect {}", its_other(link));
        match self.ask_for(link.from, &question, LONG_PATIENCE).as_deref() {
            Some("open") => Connection::Open,
            Some("reset") => Connection::Reset,
            _ => Connection::Silent,
        }
    }

    fn share(&self, _: usize) -> f64 {
        unreachable!("no limits, so nobody asks for shares")
    }

    fn take(&self, _: usize, _: u64) {
        unreachable!("no limits, so nobody takes memory")
    }

    fn append(&self, _: usize, _: &str, _: &str, _: bool) -> Result<Duration, i32> {
        unreachable!("no disks, so nobody writes")
    }

    fn read(&self, _: usize, _: &str) -> Result<Option<String>, i32> {
        unreachable!("no disks, so nobody reads")
    }

    fn clock(&self, _: usize) -> Option<Reading> {
        unreachable!("no clocks, so nobody asks for the time")
    }

    fn life(&self, node: usize) -> Option<u64> {
        self.ask_for(node, "life", PATIENCE)?.split(' ').nth(1)?.parse().ok()
    }
}
