//! The way into a node: a TCP port of its bridge. Whoever comes says messages of the protocol, one a line, and is
//! answered on the same connection; before that it may say who it is.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How long a bridge may take to say whether its node is ready.
const PATIENCE: Duration = Duration::from_millis(300);

/// Something that is said to the bridge itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Word {
    /// Is the node ready? It is answered in the same way.
    Ready(bool),
    /// Messages to these names are for this connection.
    Serves(Vec<String>),
}

/// The line that says what services are on a connection.
pub(super) fn serving(names: &[&str]) -> Value {
    json!({ "serves": names })
}

/// The line that asks whether the node is ready, or says it.
pub(super) fn ready(is: bool) -> Value {
    json!({ "ready": is })
}

/// HOST:PORT of a URL.
pub(super) fn address(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, address)| address)
}

/// Whether the node behind a URL has said that it is initialised.
pub(super) async fn is_ready(url: &str) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, ask(address(url))).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("it has not answered init yet".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its bridge does not answer".to_owned()),
    }
}

async fn ask(address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{}\n", ready(true)).as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    Ok(matches!(serde_json::from_str(&line), Ok(Word::Ready(true))))
}
