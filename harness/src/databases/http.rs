//! What all clients that speak HTTP share, and the driver that is a table of requests.

mod sound;
mod spec;
pub(super) mod table;

use std::time::Duration;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::OpError;

use super::login;

/// A pool of connections to one node.
pub type Connection = reqwest::Client;

/// A connection pool of its own: no proxy, since nodes are reached directly or not at all, and no
/// retries, since a retried write is two writes.
pub fn client(patience: Option<Duration>) -> Connection {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1);
    if let Some(patience) = patience {
        builder = builder.timeout(patience);
    }
    if let Some(tls) = &login::of_run().tls {
        builder = tls.http(builder);
    }
    builder.build().expect("an HTTP client needs nothing that can be missing")
}

/// An answer: its status code and its body, which is null when it is not JSON.
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// Of the connection: `fail` if none could be made, else `info`.
pub async fn send(request: reqwest::RequestBuilder) -> Result<Answer, OpError> {
    let response = request.send().await.map_err(|error| classify(&error))?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await.map_err(|error| classify(&error))?;
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

/// A connection that could not be made carried nothing; after that anything may have happened.
fn classify(error: &reqwest::Error) -> OpError {
    if error.is_connect() {
        OpError::fail(ErrorKind::Connection, root_cause(error))
    } else if error.is_timeout() {
        OpError::info(ErrorKind::Timeout, root_cause(error))
    } else {
        OpError::info(ErrorKind::Connection, root_cause(error))
    }
}

/// The innermost error: the outer ones only repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The answer to a question of the control plane.
///
/// # Errors
/// In words why there is none.
pub async fn ask(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    send(request).await.map_err(|error| match error {
        OpError::Fail(error) | OpError::Info(error) => error.text,
    })
}
