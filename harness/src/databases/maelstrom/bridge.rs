//! What stands beside each node: it starts the node's program, and carries the lines that this writes to other
//! nodes (each as a datagram), to clients and to services. It is this very program in another role.

mod links;
mod node;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::door::{self, Word};
use super::latency::Distribution;
use super::message::{Envelope, line};
use links::Links;

/// The name of the role, as a command.
pub(crate) const ROLE: &str = "__maelstrom";
/// The number of the first message to a node.
const INIT: u64 = 1;
/// Who initialises nodes.
const NOBODY: &str = "c0";
/// Messages that wait for the services to come, at most.
const WAITING_MOST: usize = 10_000;

/// What a bridge is told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The node's name.
    node: String,
    /// Where clients come, and datagrams of other nodes.
    #[arg(long)]
    listen: SocketAddr,
    /// All nodes: NAME=HOST:PORT,...
    #[arg(long, value_delimiter = ',', value_parser = peer)]
    peers: Vec<(String, SocketAddr)>,
    #[arg(long)]
    init_s: u64,
    #[arg(long)]
    latency_ms: u64,
    #[arg(long, value_enum)]
    distribution: Distribution,
    /// Whom each node is told to be its neighbours; nothing is told without.
    #[arg(long)]
    topology: Option<String>,
    /// Where the node's standard error goes, to tell what it said last.
    #[arg(long)]
    log: PathBuf,
    #[arg(env = "SPLITBRAIN_SEED", long, default_value_t = 0)]
    seed: u64,
    /// The node's program.
    #[arg(last = true, required = true)]
    bin: Vec<String>,
}

fn peer(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = text.split_once('=').ok_or("not NAME=HOST:PORT")?;
    Ok((name.to_owned(), address.parse().map_err(|_| format!("{address} is no HOST:PORT"))?))
}

/// Plays the role until the node's program ends.
pub(crate) fn main(args: &Args) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| runtime.block_on(run(args)));
    // The last line of the log is what people are told.
    match ended {
        Ok(how) => eprintln!("{how}"),
        Err(error) => eprintln!("{}: {error}", args.node),
    }
    ExitCode::FAILURE
}

async fn run(args: &Args) -> std::io::Result<String> {
    let listener = TcpListener::bind(args.listen).await?;
    let links = Links::open(args).await?;
    let (to_node, lines) = unbounded_channel();
    let log_begins = log_bytes(&args.log);
    let (mut program, mut answers) = node::start(&args.bin, lines)?;
    let bridge = Arc::new(Bridge {
        name: args.node.clone(),
        to_node,
        links,
        doors: Mutex::default(),
        waiting: Mutex::default(),
        is_ready: Mutex::new(false),
    });
    bridge.clone().listen_to_peers();
    tokio::spawn(bridge.clone().let_in(listener));
    let names: Vec<&str> = args.peers.iter().map(|(name, _)| name.as_str()).collect();
    let mut beginning = vec![json!({ "type": "init", "node_id": args.node, "node_ids": names })];
    let neighbours = args.topology.as_deref().map(|shape| topology(shape, &names));
    beginning.extend(neighbours.map(|all| json!({ "type": "topology", "topology": all })));
    let mut beginning = beginning.into_iter().zip(INIT..);
    let mut asked = bridge.begin(beginning.next());
    let init_until = tokio::time::Instant::now() + Duration::from_secs(args.init_s);
    loop {
        let next = tokio::select! {
            next = answers.next_line() => next?,
            () = tokio::time::sleep_until(init_until), if asked.is_some() => {
                return Ok(format!("it has not answered its first messages within {} s", args.init_s));
            }
        };
        let Some(line) = next else {
            let how = program.wait().await?;
            let said = last_words(&args.log, log_begins);
            let said = said.map_or(String::new(), |said| format!(", and said last: {said}"));
            return Ok(format!("its program ended by itself: {how}{said}"));
        };
        let Ok(message) = serde_json::from_str::<Envelope>(&line) else {
            let beginning: String = line.chars().take(200).collect();
            return Ok(format!("it wrote to its standard output what is no message: {beginning}"));
        };
        match asked {
            Some(msg_id) if message.dest == NOBODY && message.answers(msg_id) => {
                // Only `init` has to be served; a node that needs no topology may say so.
                if message.body["type"] == "error" && msg_id == INIT {
                    return Ok(format!("it refused init: {}", message.body));
                }
                asked = bridge.begin(beginning.next());
            }
            _ => bridge.carry(&message.dest, &line).await,
        }
    }
}

fn log_bytes(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |about| about.len())
}

/// The last line of the log that is not of an earlier life, at most 100 characters.
fn last_words(log: &Path, begins: u64) -> Option<String> {
    let bytes = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(bytes.get(usize::try_from(begins).ok()?..)?);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().take(100).collect())
}

/// The neighbours of each node.
fn topology(shape: &str, names: &[&str]) -> Value {
    let side = match shape {
        "line" => 1,
        "total" => names.len(),
        // As square as it can be, row by row.
        _ => (1..).find(|side| side * side >= names.len()).unwrap_or(1),
    };
    let near = |a: usize, b: usize| match shape {
        "total" => a != b,
        _ => {
            (a % side == b % side && a.abs_diff(b) == side)
                || (a / side == b / side && a.abs_diff(b) == 1)
        }
    };
    let neighbours = |a: usize| -> Vec<&str> {
        (0..names.len()).filter(|b| near(a, *b)).map(|b| names[b]).collect()
    };
    names.iter().enumerate().map(|(a, name)| ((*name).to_owned(), json!(neighbours(a)))).collect()
}

/// Where lines go.
struct Bridge {
    name: String,
    to_node: UnboundedSender<String>,
    links: Links,
    /// By the name of a client or service: the connection on which it last spoke.
    doors: Mutex<BTreeMap<String, UnboundedSender<String>>>,
    /// For services that have not come yet.
    waiting: Mutex<Vec<(String, String)>>,
    is_ready: Mutex<bool>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bridge {
    /// Says the next of the first messages, and its number; the node is ready if there are no more.
    fn begin(&self, next: Option<(Value, u64)>) -> Option<u64> {
        let Some((mut body, msg_id)) = next else {
            *held(&self.is_ready) = true;
            return None;
        };
        body["msg_id"] = msg_id.into();
        self.deliver(line(NOBODY, &self.name, &body));
        Some(msg_id)
    }

    fn deliver(&self, line: String) {
        // A program that has ended is noticed elsewhere.
        let _ = self.to_node.send(line);
    }

    /// Takes a line of the node to where it is to go. What nobody is to get is dropped, as by a network.
    async fn carry(&self, dest: &str, line: &str) {
        if dest == self.name {
            return self.deliver(line.to_owned());
        }
        if self.links.carry(dest, line).await {
            return;
        }
        let door = held(&self.doors).get(dest).cloned();
        match door {
            Some(door) => drop(door.send(line.to_owned())),
            None => {
                let mut waiting = held(&self.waiting);
                if waiting.len() < WAITING_MOST {
                    waiting.push((dest.to_owned(), line.to_owned()));
                }
            }
        }
    }

    fn listen_to_peers(self: Arc<Bridge>) {
        let links = self.links.clone();
        tokio::spawn(async move { links.receive(|line| self.deliver(line)).await });
    }

    async fn let_in(self: Arc<Bridge>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().serve(stream))),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Hears one connection until its end.
    async fn serve(self: Arc<Bridge>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let (said, mut answers) = stream.into_split();
        let (door, mut lines) = unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                if answers.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let mut said = BufReader::new(said).lines();
        let mut names: Vec<String> = Vec::new();
        while let Ok(Some(line)) = said.next_line().await {
            if let Ok(message) = serde_json::from_str::<Envelope>(&line) {
                if !names.contains(&message.src) {
                    self.open_door(&message.src, &door);
                    names.push(message.src);
                }
                self.deliver(line);
                continue;
            }
            match serde_json::from_str(&line) {
                Ok(Word::Ready(_)) => {
                    drop(door.send(door::ready(*held(&self.is_ready)).to_string()));
                }
                Ok(Word::Serves(served)) => {
                    served.iter().for_each(|name| self.open_door(name, &door));
                    names.extend(served);
                }
                Err(_) => break,
            }
        }
        // Unless somebody else has come by that name since.
        held(&self.doors).retain(|name, to| !(names.contains(name) && to.same_channel(&door)));
    }

    /// What goes to that name goes here from now on, and what has waited for it.
    fn open_door(&self, name: &str, door: &UnboundedSender<String>) {
        // A node that speaks by a stream has links of its own.
        if self.links.is_peer(name) {
            return;
        }
        held(&self.doors).insert(name.to_owned(), door.clone());
        let (ours, others) =
            held(&self.waiting).drain(..).partition::<Vec<_>, _>(|(dest, _)| dest == name);
        held(&self.waiting).extend(others);
        ours.into_iter().for_each(|(_, line)| drop(door.send(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topology_joins_all_nodes() {
        let names = ["n1", "n2", "n3", "n4", "n5"];
        assert_eq!(
            topology("grid", &names),
            json!({ "n1": ["n2", "n4"], "n2": ["n1", "n3", "n5"], "n3": ["n2"],
                "n4": ["n1", "n5"], "n5": ["n2", "n4"] })
        );
        assert_eq!(topology("line", &names)["n2"], json!(["n1", "n3"]));
        assert_eq!(topology("total", &names)["n2"], json!(["n1", "n3", "n4", "n5"]));
        assert_eq!(topology("grid", &["n1"]), json!({ "n1": [] }));
    }
}
