//! etcd's own locks (its `v3lock` service), held by leases that a client keeps alive while it can.
//!
//! Whoever holds a lock believes so until it gives it back. Its lease ends when it is not heard of
//! for long enough, and then somebody else gets the lock: what Kleppmann calls a lock without
//! fencing.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::lock::{Call, Lock};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::gateway::Gateway;
use super::refusal;

/// How long a lease lasts without a word. etcd gives none that is shorter than an election.
const LEASE_S: u64 = 2;
/// How often a word is given.
const ALIVE_EVERY: Duration = Duration::from_millis(500);
/// How long a lock is waited for that somebody else holds.
const PATIENCE: Duration = Duration::from_millis(300);

/// A connection to one node.
pub(super) struct EtcdLocks {
    pub gateway: Gateway,
    pub prefix: String,
    /// The locks that it holds.
    pub held: HashMap<String, Held>,
}

/// A lock that is held.
pub(super) struct Held {
    /// What it is given back by.
    key: String,
    token: u64,
    lease: String,
    /// Keeps the lease alive until this is dropped.
    alive: JoinHandle<()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.alive.abort();
    }
}

async fn post(gateway: &Gateway, path: &str, body: Value) -> Result<Value, OpError> {
    let answer = gateway.post(path, &body).await?;
    let good = answer.status == 200
        && (answer.body["header"].is_object() || answer.body["result"].is_object());
    if good { Ok(answer.body) } else { Err(refusal(&answer)) }
}

impl EtcdLocks {
    async fn acquire(&mut self, name: &str) -> Result<u64, OpError> {
        // Without the lock nothing has happened that anybody could see.
        let lease = post(&self.gateway, "lease/grant", json!({ "TTL": LEASE_S })).await;
        let lease =
            lease.map_err(OpError::before_anything)?["ID"].as_str().unwrap_or_default().to_owned();
        let wanted =
            json!({ "name": BASE64.encode(format!("{}{name}", self.prefix)), "lease": lease });
        let locked = timeout(PATIENCE, post(&self.gateway, "lock/lock", wanted)).await;
        let Ok(locked) = locked else {
            // What waits for the lock goes with its lease.
            post(&self.gateway, "lease/revoke", json!({ "ID": lease })).await?;
            return Err(OpError::fail(ErrorKind::Mismatch, "somebody else holds it"));
        };
        let locked = locked?;
        let key = locked["key"].as_str().unwrap_or_default().to_owned();
        let revision = locked["header"]["revision"].as_str().and_then(|text| text.parse().ok());
        let token = revision.unwrap_or_default();
        let alive = tokio::spawn(keep_alive(self.gateway.clone(), lease.clone()));
        self.held.insert(name.to_owned(), Held { key, token, lease, alive });
        Ok(token)
    }

    async fn release(&mut self, name: &str) -> Result<u64, OpError> {
        let not_held = || OpError::fail(ErrorKind::Mismatch, "not held by this client");
        let held = self.held.remove(name).ok_or_else(not_held)?;
        post(&self.gateway, "lock/unlock", json!({ "key": held.key })).await?;
        // It would end by itself soon.
        let _ = post(&self.gateway, "lease/revoke", json!({ "ID": held.lease })).await;
        Ok(held.token)
    }
}

/// Gives a word for a lease, again and again, until it is dropped.
async fn keep_alive(gateway: Gateway, lease: String) {
    loop {
        sleep(ALIVE_EVERY).await;
        let word = post(&gateway, "lease/keepalive", json!({ "ID": lease }));
        // One that hangs is not waited for.
        let _ = timeout(ALIVE_EVERY, word).await;
    }
}

impl Client<Lock> for EtcdLocks {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<u64>, OpError>> {
        Box::pin(async move {
            let token = if call.acquires {
                self.acquire(&call.key).await?
            } else {
                self.release(&call.key).await?
            };
            Ok(token.into())
        })
    }
}
