//! Clients of a node, and what workloads are in the protocol's own requests.

mod requests;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use splitbrain_checker::history::{ErrorKind, Kind};
use splitbrain_workloads::{BoxFuture, Completion, ErasedClient, Invocation, OpError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::door::address;
use super::message::{Envelope, line};

pub(super) use requests::VOCABULARIES;

/// What all clients of a run have in common.
pub(super) struct Shared {
    /// The set is that of `broadcast`, and not of `g-set`.
    broadcast: bool,
    /// Keys of the workload; the protocol's are numbers, their places here.
    keys: Mutex<Vec<String>>,
    /// How many clients there have been.
    clients: AtomicU64,
}

impl Shared {
    pub(super) fn new(broadcast: bool) -> Shared {
        Shared { broadcast, keys: Mutex::default(), clients: AtomicU64::new(0) }
    }

    /// The number of a key.
    fn number(&self, key: &str) -> u64 {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let place = keys.iter().position(|known| known == key).unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        });
        place as u64
    }
}

/// A client of one node, which asks one thing at a time.
pub(super) struct NodeClient {
    address: String,
    node: String,
    vocabulary: &'static str,
    shared: Arc<Shared>,
    connection: Option<Connection>,
    /// For the workload `log`: where this client's next poll of each log begins.
    offsets: BTreeMap<String, u64>,
    /// Which logs it was assigned.
    assigned: Option<Vec<String>>,
}

/// A connection under a name of its own, so that late answers to others are not taken for its.
struct Connection {
    stream: BufReader<TcpStream>,
    name: String,
    asked: u64,
}

impl NodeClient {
    pub(super) fn new(
        url: &str,
        node: impl Into<String>,
        vocabulary: &'static str,
        shared: Arc<Shared>,
    ) -> NodeClient {
        NodeClient {
            address: address(url).to_owned(),
            node: node.into(),
            vocabulary,
            shared,
            connection: None,
            offsets: BTreeMap::new(),
            assigned: None,
        }
    }

    /// Asks the node, and returns the body of its answer, which may be an error.
    async fn ask(&mut self, body: Value) -> Result<Value, OpError> {
        // Gone if this is given up on the way; then the next one is of another name.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let number = self.shared.clients.fetch_add(1, Ordering::Relaxed) + 1;
                let made = Connection::open(&self.address, format!("c{number}")).await;
                made.map_err(|error| OpError::fail(ErrorKind::Connection, error.to_string()))?
            }
        };
        let answered = connection.ask(&self.node, body).await;
        let body =
            answered.map_err(|error| OpError::info(ErrorKind::Connection, error.to_string()))?;
        self.connection = Some(connection);
        Ok(body)
    }
}

impl ErasedClient for NodeClient {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        Box::pin(async move {
            match self.carry_out(invocation).await {
                Ok(value) => Completion { kind: Kind::Ok, value, version: None, error: None },
                Err(error) => Completion::error(error, invocation.value.clone()),
            }
        })
    }
}

impl Connection {
    async fn open(address: &str, name: String) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream), name, asked: 0 })
    }

    async fn ask(&mut self, node: &str, mut body: Value) -> io::Result<Value> {
        self.asked += 1;
        body["msg_id"] = self.asked.into();
        let question = format!("{}\n", line(&self.name, node, &body));
        self.stream.write_all(question.as_bytes()).await?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // Something else is an answer to what was given up.
            match serde_json::from_str::<Envelope>(&line) {
                Ok(message) if message.answers(self.asked) => return Ok(message.body),
                _ => {}
            }
        }
    }
}
