//! What nodes may ask beside each other: Maelstrom's services `lin-kv`, `seq-kv`, `lww-kv` and `lin-tso`. They live in
//! the harness, which goes to every node by the link that clients use, so that cuts between nodes spare them.

mod stores;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::door::{address, serving};
use super::message::{Envelope, line};
use stores::Stores;

/// How soon a node that was killed is looked for again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The services of a run.
#[derive(Default)]
pub(super) struct Services {
    stores: Arc<Mutex<Stores>>,
    served: BTreeSet<String>,
}

impl Services {
    /// Serves a node from now on, until the runtime ends, in which this must be called.
    pub(super) fn serve(&mut self, url: &str) {
        if self.served.insert(url.to_owned()) {
            let (stores, address) = (self.stores.clone(), address(url).to_owned());
            tokio::spawn(async move {
                loop {
                    // It ends when the node does.
                    let _ = serve_one(&stores, &address).await;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            });
        }
    }
}

async fn serve_one(stores: &Mutex<Stores>, address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (requests, mut answers) = stream.split();
    answers.write_all(format!("{}\n", serving(&stores::NAMES)).as_bytes()).await?;
    let mut requests = BufReader::new(requests).lines();
    while let Some(request) = requests.next_line().await? {
        if let Some(answer) = answer(stores, &request) {
            answers.write_all(format!("{answer}\n").as_bytes()).await?;
        }
    }
    Ok(())
}

/// The answer to a request, if it is one.
fn answer(stores: &Mutex<Stores>, request: &str) -> Option<String> {
    let Envelope { src, dest, body } = serde_json::from_str(request).ok()?;
    let mut stores = stores.lock().unwrap_or_else(PoisonError::into_inner);
    let mut answer: Value = stores.ask(&dest, &src, &body);
    answer["in_reply_to"] = body["msg_id"].clone();
    Some(line(&dest, &src, &answer))
}
